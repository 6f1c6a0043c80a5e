"""The store as a whole: its tables moved, kept in an archive, and held against themselves."""
