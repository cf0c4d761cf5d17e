"""Environment: what this process was given, before any test led it through the rehearsal's egress.

conftest imports it first. For children that must reach the real world, such as pip.
"""

import os

AT_START = dict(os.environ)
