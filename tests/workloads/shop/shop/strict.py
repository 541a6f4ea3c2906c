"""Settings that `manage.py check` complains about."""
from .settings import *

ROOT_URLCONF = "shop.nowhere"
INSTALLED_APPS = INSTALLED_APPS + ["goods"]
