"""Find what the commands' arguments name, or say what is wrong with them."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from wagtail.models import Locale

from ...models import GlossaryPage


def find_locale(code: str) -> Locale:
    locale = Locale.objects.filter(language_code=code).first()
    if locale is None:
        known = ", ".join(Locale.objects.values_list("language_code", flat=True))
        raise CommandError(
            _(
                "The language “%(code)s” is not in use here. In use: %(known)s. "
                "Add it to WAGTAIL_CONTENT_LANGUAGES and under Settings > Locales."
            )
            % {"code": code, "known": known},
            returncode=2,
        )
    return locale


def find_glossary(slug: str, code: str | None) -> GlossaryPage:
    """The glossary of this slug; the language tells those of one slug apart."""
    glossaries = GlossaryPage.objects.filter(slug=slug).select_related("locale")
    if code:
        glossaries = glossaries.filter(locale=find_locale(code))
    found = list(glossaries)
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(
            _("There are %(count)d glossaries “%(slug)s”. Add --locale: %(codes)s.")
            % {
                "count": len(found),
                "slug": slug,
                "codes": ", ".join(sorted({g.locale.language_code for g in found})),
            },
            returncode=2,
        )
    known = ", ".join(
        f"{glossary.slug} ({glossary.locale.language_code})"
        for glossary in GlossaryPage.objects.select_related("locale")
    )
    raise CommandError(
        _(
            "There is no glossary “%(slug)s”. There are: %(known)s. Create one with "
            "create_glossary."
        )
        % {"slug": slug, "known": known or _("none")},
        returncode=2,
    )
