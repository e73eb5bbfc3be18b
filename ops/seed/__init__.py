"""The demo shop: the courses, their covers and the people who buy them."""

from ops.seed.library import SeedCourse, courses, typeset_all
from ops.seed.people import SeedPerson, people

__all__ = ["SeedCourse", "SeedPerson", "courses", "people", "typeset_all"]
