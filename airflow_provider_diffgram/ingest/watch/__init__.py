"""The parts of the wait: what is asked, what an answer means, what proves it."""
