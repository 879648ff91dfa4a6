from django.apps import AppConfig


class SeatwiseConfig(AppConfig):
    name = "seatwise"
    default_auto_field = "django.db.models.BigAutoField"
