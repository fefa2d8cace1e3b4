"""Fills a Tryton database: first everything a company needs, then the products of a catalogue.

usage: tryton_fill.py set-up CONFIG DATABASE PLACES LOGIN PASSWORD
       tryton_fill.py second CONFIG DATABASE LOGIN
       tryton_fill.py catalogue CONFIG DATABASE CATALOGUE.json

Runs inside the server's own process (no server is needed) with the Python of its virtual environment.
"""
import datetime
import json
import sys
from decimal import Decimal

CURRENCIES = [  # code, name, digits, units per euro
    ("EUR", "Euro", 2, "1"),
    ("USD", "US Dollar", 2, "1.08"),
    ("JPY", "Yen", 0, "160"),
    ("GBP", "Pound Sterling", 2, "0.85"),
    ("KWD", "Kuwaiti Dinar", 3, "0.33"),
]
TAXES = [("VAT 19%", "0.19"), ("VAT 7%", "0.07"), ("VAT 0%", "0")]
TERMS = [("Immediate", 0), ("30 days", 30)]
SERVICES = [("SHIPPING", "Shipping", 19), ("ROUNDING", "Rounding", None), ("FEE", "Fee", 19)]
LONG_AGO = datetime.date(2000, 1, 1)


def set_up(proteus, places, login, password):
    """Company, money, accounts, taxes, places, the web shop and the user."""
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company, get_company

    get = proteus.Model.get
    currencies = money(get)
    countries(get, places)
    languages(get)
    owner = get("party.party")(name="Syncline Test Co")
    owner.save()
    create_company(party=owner, currency=currencies["EUR"])
    company = get_company()
    create_chart(company)
    accounts = get_accounts(company)
    books = get("account.configuration")(1)
    books.currency_exchange_credit_account, books.currency_exchange_debit_account = accounts["revenue"], accounts["expense"]
    books.save()
    today = datetime.date.today()
    for year in (today.year - 1, today.year, today.year + 1):
        first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
        fiscal = create_fiscalyear(company, today=(first, last))
        fiscal.name, fiscal.start_date, fiscal.end_date = str(year), first, last
        set_fiscalyear_invoice_sequences(fiscal).click("create_period")
    for name, rate in TAXES:
        tax = create_tax(Decimal(rate), company)
        tax.name = tax.description = name
        tax.save()
        category = get("product.category")(name=f"Goods {name}", accounting=True)
        category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
        category.customer_taxes.append(tax)
        category.save()
    untaxed = get("product.category")(name="Services without tax", accounting=True)
    untaxed.account_expense, untaxed.account_revenue = accounts["expense"], accounts["revenue"]
    untaxed.save()
    for name, days in TERMS:
        term = get("account.invoice.payment_term")(name=name)
        line = term.lines.new(type="remainder")
        if days:
            line.relativedeltas.new(days=days)
        term.save()
    for name, included in (("Prices without tax", False), ("Prices with tax", True)):
        prices = get("product.price_list")(name=name, company=company, tax_included=included)
        prices.lines.new(formula="unit_price * 1.19" if included else "unit_price")
        prices.save()
    web_shop(get, proteus, company, currencies["EUR"])
    user = get("res.user")(name="Sync", login=login, email="sync@example.com")
    user.password = password
    user.companies.append(company)
    user.company = company
    user.groups.extend(get("res.group").find([]))
    user.save()


def money(get):
    """The currencies by code, with a rate each."""
    Currency = get("currency.currency")
    made = {}
    for code, name, digits, rate in CURRENCIES:
        currency = Currency(name=name, code=code, symbol=code, digits=digits, rounding=Decimal(1).scaleb(-digits))
        currency.rates.new(date=LONG_AGO, rate=Decimal(rate))
        currency.save()
        made[code] = currency
    return made


def countries(get, places):
    """Countries and subdivisions of our own list: `code;three letters;name`, subdivisions without the middle part."""
    Country, Subdivision = get("country.country"), get("country.subdivision")
    country, parts = None, []
    with open(places, encoding="utf-8") as lines:
        for code, long, name in (line.rstrip("\n").split(";", 2) for line in lines if not line.startswith("#")):
            if long:
                country = Country(name=name, code=code, code3=long)
                country.save()
            else:
                parts.append(Subdivision(name=name, code=code, country=country, type="state"))
    Subdivision.save(parts)


def languages(get):
    """German and French beside English: for texts only, nothing of Tryton's own is translated."""
    Lang = get("ir.lang")
    spoken = Lang.find([("code", "in", ["de", "fr"])])
    Lang.write([lang.id for lang in spoken], {"translatable": True}, {})


def web_shop(get, proteus, company, currency):
    """The web shop with the guest party nobody may process a sale for; nothing where its module is not there."""
    if not get("ir.module").find([("name", "=", "web_shop"), ("state", "=", "activated")]):
        return
    guest = get("party.party")(name="Webshop Guest")
    guest.save()
    shop = get("web.shop")(name="Webshop", company=company, currency=currency, guest_party=guest)
    shop.warehouses.extend(get("stock.location").find([("type", "=", "warehouse")]))
    shop.save()


def second_company(proteus, login):
    """A second company with a chart, taxes of the same names and a web shop of its own; the user belongs to both."""
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences

    get, config = proteus.Model.get, proteus.config.get_config()
    User, Company = get("res.user"), get("company.company")
    euro, = get("currency.currency").find([("code", "=", "EUR")])
    owner, guest = (get("party.party")(name=name) for name in ("Beta", "Beta shop Guest"))
    owner.save()
    guest.save()
    Company(party=owner, currency=euro).save()
    company, = Company.find([("party", "=", owner.id)])
    admin, = User.find([("login", "=", "admin")])
    User.write([admin.id], {"companies": [("add", [company.id])], "company": company.id, "company_filter": "all"}, {})
    config._context = User.get_preferences(True, {})
    create_chart(company)
    today = datetime.date.today()
    fiscal = create_fiscalyear(company, today=(datetime.date(today.year, 1, 1), datetime.date(today.year, 12, 31)))
    set_fiscalyear_invoice_sequences(fiscal).click("create_period")
    for name, rate in TAXES:
        tax = create_tax(Decimal(rate), company)
        tax.name = tax.description = name
        tax.save()
    shop = get("web.shop")(name="Beta shop", company=company, currency=euro, guest_party=guest)
    shop.warehouses.extend(get("stock.location").find([("type", "=", "warehouse")]))
    shop.save()
    user, = User.find([("login", "=", login)])
    User.write([user.id], {"companies": [("add", [company.id])]}, {})


def catalogue(database, path):
    """Templates and variants: a configurable is one template with its children, everything else sold alone is its own."""
    from trytond.pool import Pool
    from trytond.transaction import Transaction

    with open(path, encoding="utf-8") as file:
        items = json.load(file, parse_float=Decimal, parse_int=Decimal)
    with Transaction().start(database, 1, context={"company": 1}):
        pool = Pool()
        Template = pool.get("product.template")
        unit, = pool.get("product.uom").search([("name", "=", "Unit")], limit=1)
        accounting = {
            category.customer_taxes[0].rate * 100 if category.customer_taxes else None: category.id
            for category in pool.get("product.category").search([("accounting", "=", True)])
        }
        rows, names = [], []
        for row, named in templates(items, unit.id, accounting):
            rows.append(row)
            names.append(named)
        for at in range(0, len(rows), 20):  # the uniqueness check of many codes at once overflows SQLite's parser
            for made, named in zip(Template.create(rows[at : at + 20]), names[at : at + 20]):
                for language, name in named.items():
                    with Transaction().set_context(language=language):
                        Template.write([Template(made.id)], {"name": name})
        shelves(pool)
        Transaction().commit()


def shelves(pool):
    """Goods on every shelf, counted once: between 40 and 239 pieces of each."""
    storage, = pool.get("stock.location").search([("code", "=", "STO")], limit=1)
    all_goods = pool.get("product.product").search([("type", "=", "goods")], order=[("id", "ASC")])
    lines = [{"product": product.id, "quantity": float(40 + product.id * 37 % 200)} for product in all_goods]
    Inventory = pool.get("stock.inventory")
    counted = Inventory.create([{"company": 1, "location": storage.id, "date": datetime.date.today(), "lines": [("create", lines)]}])
    Inventory.confirm(counted)


def templates(items, unit, accounting):
    """Rows to create, each with its names in other languages."""
    by_sku = {item["sku"]: item for item in items}
    in_family = {child for item in items if item["type"] == "configurable" for child in item["children"]}

    def template(name, kind, rate, price, variants):
        return {
            "name": name,
            "type": kind,
            "default_uom": unit,
            "sale_uom": unit,
            "salable": True,
            "list_price": price,
            "account_category": accounting[rate],
            "products": [("create", [{"suffix_code": sku} for sku in variants])],
        }

    for item in items:
        price, rate = round(Decimal(item["price"]), 4), item["tax_percent"]
        if item["type"] == "configurable":
            sold = [child for child in item["children"] if child in by_sku]
            if sold:
                yield template(item["name"], "goods", rate, price, sold), item["names"]
        elif item["type"] != "bundle" and item["sku"] not in in_family:
            kind = "service" if item["type"] == "virtual" else "goods"
            yield template(item["name"], kind, rate, price, [item["sku"]]), item["names"]
    for code, name, rate in SERVICES:
        yield template(name, "service", rate, Decimal(0), [code]), {}


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in ("set-up", "second", "catalogue"):
        sys.exit(__doc__)
    what, config, database, *rest = sys.argv[1:]
    from trytond import config as configuration

    (configuration if hasattr(configuration, "update_etc") else configuration.config).update_etc(config)
    if what == "catalogue":
        from trytond.pool import Pool
        from trytond.transaction import Transaction

        Pool.start()
        with Transaction().start(database, 0, readonly=True):
            Pool(database).init()
        catalogue(database, *rest)
        return
    import proteus

    proteus.config.set_trytond(database, config_file=config)
    (second_company if what == "second" else set_up)(proteus, *rest)


if __name__ == "__main__":
    main()
