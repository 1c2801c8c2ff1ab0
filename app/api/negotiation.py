"""Which media type and which content coding a client likes best (RFC 9110, 12.5)."""

from collections.abc import Sequence

COMPRESSED = ("zstd", "gzip")


def media_type(accept: str | None, offers: Sequence[str]) -> str:
    """Return the offer that `Accept` weighs most; the first of them on a tie, or where none is accepted."""
    weights = _weights(accept or "*/*")

    def weight(offer: str) -> float:
        ranges = (offer, offer.partition("/")[0] + "/*", "*/*")
        return next((weights[name] for name in ranges if name in weights), 0.0)

    return max(offers, key=weight)


def coding(accept_encoding: str | None) -> str:
    """Return "zstd", "gzip" or "identity": the heaviest in `Accept-Encoding`, in that order on a tie."""
    weights = _weights(accept_encoding or "")
    rest = weights.get("*", 0.0)
    best = max(COMPRESSED, key=lambda name: weights.get(name, rest))
    weight = weights.get(best, rest)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else "identity"


def _weights(header: str) -> dict[str, float]:
    weights = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        weights[name] = _quality(quality)
    return weights


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
