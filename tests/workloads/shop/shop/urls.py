from django.contrib import admin
from django.urls import path

from goods import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.shelf),
    path("random/", views.chance),
]
