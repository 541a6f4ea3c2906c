"""Django: a worker of a service, which answers a request from a template."""
import io

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="-", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()

from django import http, template
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.urls import path

PAGE = template.Template("<ul>{% for n in rows %}<li class='{% cycle 'a' 'b' %}'>"
                         "{{ n|add:3 }} {{ name|upper }}{% endfor %}</ul><p>{{ query }}")


def page(request, name):
    query = User.objects.filter(username__startswith=name).order_by("-date_joined").query
    return http.HttpResponse(PAGE.render(template.Context(
        {"rows": range(100), "name": name, "query": str(query)})))


urlpatterns = [path("page/<str:name>/", page)]
application = get_wsgi_application()


def start():
    pass


def task():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/page/it/", "SERVER_NAME": "x",
               "SERVER_PORT": "80", "wsgi.input": io.BytesIO(), "QUERY_STRING": ""}
    status = []
    body = b"".join(application(environ, lambda *answer: status.append(answer)))
    if status[0][0] != "200 OK":
        raise SystemExit("no page: %s" % status)
    return status, body


def answer(number):
    """The number, after a detour."""
    return template.Template("{{ n|add:-1 }}").render(template.Context({"n": number + 1}))
