"""Makes the reference of the site: a page per class and function, from signatures and docstrings."""
