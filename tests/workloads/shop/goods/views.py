import os
import random

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string

from .models import Thing


def shelf(request):
    return render(request, "goods/shelf.html", {"things": Thing.objects.all()})


def chance(request):
    return HttpResponse("%d %s %s" % (os.getpid(), random.random(), get_random_string(20)))
