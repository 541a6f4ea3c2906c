from django.core.management.base import BaseCommand
from django.db.models import Avg, Max

from goods.models import Thing


class Command(BaseCommand):
    help = "Lists what costs less than --limit."

    def add_arguments(self, parser):
        parser.add_argument("--limit", type=int, default=10)

    def handle(self, *args, **options):
        for thing in Thing.objects.filter(price__lt=options["limit"]):
            self.stdout.write("%s %s %s" % (thing, thing.price, thing.added))
        self.stdout.write(repr(Thing.objects.aggregate(Avg("price"), Max("added"))))
