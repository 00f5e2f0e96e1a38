"""Whether one name is another one misspelled: a letter missing, too many or wrong, or two
swapped."""


def is_misspelled(name: str, known: str) -> bool:
    """Whether `name` probably stands for `known`. Case does not matter. Another number is another
    name: VA007 does not stand for VA001."""
    one, other = _difference(name.upper(), known.upper())
    if not one and not other:
        return True
    if min(len(name), len(known)) < _LEAST or all(map(_is_number, (one, other))):
        return False
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


_LEAST = 3
"""Of shorter names every other one is one letter away."""


def _difference(one: str, other: str) -> tuple[str, str]:
    """What is left of both without the beginning and the end that they have in common."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one, other


def _is_number(text: str) -> bool:
    return not text or text.isdecimal()
