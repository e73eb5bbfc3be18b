"""Currencies: which exist, how many decimals they have, the least that can be charged, and how amounts are written."""

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())

SUPPORTED = (
    frozenset(
        """usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny
        cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes
        kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab
        pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah
        uyu uzs wst xcd yer zar zmw""".split()
    )
    | ZERO_DECIMAL
    | THREE_DECIMAL
)

MAXIMUM = 99_999_999

_MINIMUM = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "aud": "A$", "cad": "CA$", "inr": "₹", "krw": "₩"}


def decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def minimum(currency: str) -> int:
    return _MINIMUM.get(currency, 50 if decimals(currency) else 1)


def written(amount: int, currency: str) -> str:
    """`$1,234.50`, `¥500`, `CHF 12.00`; a minus sign comes first."""
    places = decimals(currency)
    whole, part = divmod(abs(amount), 10**places)
    figure = f"{whole:,}" + (f".{part:0{places}d}" if places else "")
    sign = _SIGNS.get(currency, currency.upper() + "\u00a0")
    return ("-" if amount < 0 else "") + sign + figure


def fee(amount: int, currency: str) -> int:
    """What Stripe keeps of a card payment: 2.9 % and 30 cents, never more than the payment."""
    fixed = 30 if decimals(currency) == 2 else (0 if decimals(currency) == 0 else 300)
    return min(amount, (amount * 29 + 500) // 1000 + fixed)
