from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GlossaryConfig(AppConfig):
    name = "glossary"
    label = "glossary"
    verbose_name = _("Glossary")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers itself)
        from .api import router, v3
        from .signal_handlers import connect_signal_handlers

        connect_signal_handlers()
        v3.register_field_schemas()
        router.register_on_v3()
