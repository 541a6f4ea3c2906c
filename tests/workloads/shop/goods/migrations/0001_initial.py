from django.db import migrations, models


def fill(apps, schema_editor):
    thing = apps.get_model("goods", "Thing")
    for number in range(20):
        thing.objects.create(name="thing %d" % number, price=number * 7 / 4,
                             added="2024-01-%02d" % (number + 1))


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Thing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True,
                                           serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("added", models.DateField()),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.RunPython(fill),
    ]
