"""What goes through the server's queue of inputs, and what is there already.

In: an item to send. Out: the place where its input is listed. A model run is introduced by one item, a
video goes alone, and an input of an earlier attempt is adopted instead of being sent again.
"""
