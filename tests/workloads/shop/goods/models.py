from django.db import models


class Thing(models.Model):
    name = models.CharField(max_length=40, unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    added = models.DateField()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name
