"""Names of ImageNet synsets: what the photos of DUTS are called after."""

import re
from functools import cache

__all__ = ["name_of_synset"]

_SYNSET = re.compile(r"^(?:.*/)?(n\d{8})_")


def name_of_synset(key: str) -> str | None:
    """The first lemma of the synset that a file name such as `n03782006_13576` begins with; None without one."""
    found = _SYNSET.match(key)
    return _lemmas().get(found[1]) if found else None


@cache
def _lemmas() -> dict[str, str]:
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet22k")
    return {
        info.index_to_label_name(i): info.index_to_description(i).split(",")[0].strip().lower()
        for i in range(info.num_classes())
    }
