"""Numbers of persons, taxpayers, patients, drivers and companies, country by country.

Forms and check digits are those that the issuing authority publishes; where a check is made,
`_check_digits` names it. Numbers without one, and those that one in ten or eleven of all
numbers of their length would pass for, need words that say what they are.
"""

from __future__ import annotations

from gateway.detectors import _check_digits as check
from gateway.detectors._identifiers import Form

_NIR = r"[1-478]~[0-9]{2}~(?:0[1-9]|1[0-2]|[2-9][0-9])~[0-9]{2}~[0-9]{3}~[0-9]{3}"
_NIR_CORSICA = r"[1-478]~[0-9]{2}~(?:0[1-9]|1[0-2]|[2-9][0-9])~2[ABab]~[0-9]{3}~[0-9]{3}"
_NIR_LABELS = (
    "nir|securite sociale|numero de secu|n secu|numero secu|secu|carte vitale|assure social"
    "|numero d'assure|insee|french social security"
)
_CPF = "cpf|cadastro de pessoas fisicas|cpf mf"
_CNPJ = "cnpj|cadastro nacional da pessoa juridica"
_RRN = (
    "rijksregisternummer|rijksregister|insz|registre national|numero national|niss|nationalregister"
    "|nationalregisternummer|belgian national number|national register number|nrn"
)
_CARD = (
    "card|credit|creditcard|debit|visa|mastercard|amex|american express|maestro|cc|pan|discover|jcb"
    "|diners|karte|kreditkarte|kartennummer|kreditkartennummer|carte|carte bancaire|carte bleue|cb"
    "|tarjeta|carta|carta di credito|kaart|kaartnummer|creditcardnummer|cartao|karta|bankkarte"
)
_LICENCE = (
    "driver license|drivers license|driver's license|driving license|driver licence|driving licence"
    "|drivers licence|driver's licence|dl|license|licence|driver id|drivers permit|license number"
    "|licence number|license no|licence no"
)
_PLATE = (
    "license plate|licence plate|number plate|plate number|plate|registration plate|car reg"
    "|vehicle registration|kennzeichen|kfz kennzeichen|nummernschild|autokennzeichen"
    "|immatriculation|plaque|plaque d'immatriculation|matricula|targa|kenteken|placa|nummerplaat"
    "|numberplate|tablica rejestracyjna"
)
_BORN = (
    "born|born on|dob|date of birth|birth date|birthdate|birthday|geb|geboren|geboren am"
    "|geburtsdatum|geburtstag|ne le|nee le|date de naissance|naissance|nacido|nacida|nacido el"
    "|nacida el|fecha de nacimiento|nacimiento|nato|nata|nato il|nata il|data di nascita"
    "|nascita|geboortedatum|geboren op|nascido|nascida|nascido em|nascida em"
    "|data de nascimento|nascimento|data urodzenia|urodzony|urodzona"
)
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)[0-9]{2}"

FORMS: tuple[Form, ...] = (
    Form(
        "CREDIT_CARD", "", r"[0-9](?:[ -]?[0-9]){11,18}", _CARD, check.luhn
    ),
    Form(
        "CREDIT_CARD", "", r"2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]~[0-9]{4}~[0-9]{4}~[0-9]{4}", _CARD,
        check.luhn, alone=1.0,
    ),
    Form(
        "IMEI", "", r"[0-9]{2}[- ]?[0-9]{6}[- ]?[0-9]{6}[- ]?[0-9]",
        "imei|imei number|device imei|handset", check.luhn,
    ),
    Form(
        "SWIFT_BIC", "", r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?",
        "bic|swift|swift code|bic code|swift bic|swiftbic|bic swift",
        fires="bic",
    ),
    Form(
        "LICENSE_PLATE", "",
        r"[A-Z]{2}[0-9]{2} ?[A-Z]{3}|[A-Z]{2}[- ]?[0-9]{3}[- ]?[A-Z]{2}"
        r"|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2}[- ]?[0-9]{1,4}[EH]?|[0-9]{4}[- ]?[B-DF-HJ-NP-TV-Z]{3}"
        r"|[0-9]{1,2}-[A-Z]{2,3}-[0-9]{1,2}|[A-Z]{2}-[0-9]{2,3}-[A-Z]{1,2}|[A-Z]{2}-[0-9]{2}-"
        r"[0-9]{2}|[A-Z]{3}[- ]?[0-9][A-Z0-9][0-9]{2}|[0-9][A-Z]{3}[0-9]{3}"
        r"|[A-Z]{2}[- ]?[0-9]{2}[- ]?[A-Z]{1,2}[- ]?[0-9]{4}|[A-Z]{2,3} [0-9][0-9A-Z]{3,4}",
        _PLATE,
        fires="plate",
    ),
    Form(
        "DATE_TIME", "",
        rf"(?:{_DAY}[./-]{_MONTH}[./-]|{_MONTH}[./-]{_DAY}[./-])(?:{_YEAR}|[0-9]{{2}})"
        rf"|{_YEAR}[./-]{_MONTH}[./-]{_DAY}",
        _BORN,
        fires="day",
    ),
    Form(
        "VAT_NUMBER", "",
        r"(?:BE[01]|CZ|DK|EE|EL|FI|FR[0-9A-Z]{2}|HR|HU|IE|IT|LT|LU|LV|PL|PT|RO|SE|SI|SK)"
        r" ?[0-9]{7,12}[A-Z]{0,2}|ES ?[A-Z][0-9]{7}[0-9A-Z]|NL ?[0-9]{9}B[0-9]{2}",
        "vat|vat number|vat no|vat id|vat registration|tva|numero de tva|tva intracommunautaire|btw"
        "|btw nummer|btw id|iva|nif iva|numero iva|ust|ustid|ust idnr|ustidnr|uid|mwst|moms",
    ),
    # Austria
    Form(
        "AT_SVNR", "at", r"[1-9][0-9]{3}~(?:0[1-9]|[12][0-9]|3[01])~(?:0[1-9]|1[0-5])~[0-9]{2}",
        "svnr|sozialversicherungsnummer|sozialversicherung|versicherungsnummer|sv nummer|sv nr"
        "|e card|austrian social security number|austrian social insurance", check.at_svnr,
    ),
    Form("AT_VAT_ID", "at", r"ATU ?[0-9]{8}", "uid|uid nummer|vat|ust", check.at_uid, alone=0.85),
    Form(
        "AT_PASSPORT", "at", r"[A-Z][ ]?[0-9]{7}", "osterreichischer reisepass|austrian passport"
    ),
    # Australia
    Form("AU_PASSPORT", "au", r"[A-Z]{1,2}[0-9]{7}", "australian passport"),
    # Belgium
    Form(
        "BE_NATIONAL_NUMBER", "be",
        r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}[.-][0-9]{2}", _RRN, check.be_national, alone=0.9,
    ),
    Form(
        "BE_NATIONAL_NUMBER", "be", r"[0-9]{2}~[0-9]{2}~[0-9]{2}~[0-9]{3}~[0-9]{2}", _RRN,
        check.be_national,
    ),
    Form(
        "BE_ENTERPRISE_NUMBER", "be", r"[01][0-9]{3}~[0-9]{3}~[0-9]{3}",
        "ondernemingsnummer|kbo|bce|numero d'entreprise|enterprise number|kbo nummer|btw|tva",
        check.be_enterprise,
    ),
    # Brazil
    Form(
        "BR_CPF", "br", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-/][0-9]{2}", _CPF, check.br_cpf, alone=0.95
    ),
    Form("BR_CPF", "br", r"[0-9]{3}~[0-9]{3}~[0-9]{3}~[0-9]{2}", _CPF, check.br_cpf),
    Form(
        "BR_CNPJ", "br", r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}", _CNPJ,
        check.br_cnpj, alone=0.95,
        fires="slash",
    ),
    Form(
        "BR_CNPJ", "br", r"[0-9]{2}~[0-9]{3}~[0-9]{3}~[0-9]{4}~[0-9]{2}", _CNPJ,
        check.br_cnpj ,
    ),
    Form(
        "BR_RG", "br", r"[0-9]{1,2}~[0-9]{3}~[0-9]{3}~[0-9Xx]",
        "rg|registro geral|carteira de identidade",
    ),
    Form(
        "BR_PIS", "br", r"[0-9]{3}~[0-9]{5}~[0-9]{2}~[0-9]", "pis|pasep|nis|nit|pis pasep",
        check.br_pis,
    ),
    Form(
        "BR_DRIVER_LICENSE", "br", r"[0-9]{11}",
        "cnh|carteira nacional de habilitacao|carteira de motorista|habilitacao", check.br_cnh,
    ),
    # Canada
    Form(
        "CA_SIN", "ca", r"[1-79][0-9]{2}~[0-9]{3}~[0-9]{3}",
        "sin|sin number|social insurance|social insurance number|nas|assurance sociale", check.luhn,
    ),
    Form(
        "CA_PASSPORT", "ca", r"[A-Z]{2}[0-9]{6}", "passport|passeport|canadian passport",
        fires="run",
    ),
    Form(
        "CA_HEALTH_CARD", "ca", r"[1-9][0-9]{3}~[0-9]{3}~[0-9]{3}(?:~[A-Z]{2})?",
        "ohip|health card|health card number|carte sante|carte soleil",
    ),
    # Switzerland
    Form(
        "CH_AHV", "ch", r"756~[0-9]{4}~[0-9]{4}~[0-9]{2}",
        "ahv|ahv nummer|ahv nr|avs|numero avs|numero ahv|navs|sozialversicherungsnummer|oasi",
        check.ean_13, alone=0.95,
    ),
    Form(
        "CH_UID", "ch", r"CHE[- ]?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}", "uid|ide|mwst|tva|iva",
        check.ch_uid, alone=0.9,
    ),
    # Germany
    Form(
        "DE_TAX_ID", "de", r"[1-9][0-9]~[0-9]{3}~[0-9]{3}~[0-9]{3}",
        "steuer id|steuer identifikationsnummer|steueridentifikationsnummer|steuerliche"
        " identifikationsnummer|steuer idnr|idnr|id nr|identifikationsnummer|steuernummer|tin"
        "|german tax id|tax id|tax identification number|tax number", check.de_tax_id,
    ),
    Form(
        "DE_VAT_ID", "de", r"DE ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        "ust id|ust idnr|umsatzsteuer id|umsatzsteueridentifikationsnummer|vat|vat id|ustid",
        check.last_nine_mod_11_10, alone=0.85,
    ),
    Form(
        "DE_TAX_NUMBER", "de", r"[0-9]{2,3}/[0-9]{3,4}/[0-9]{4,5}|(?:0[1-9]|1[0-6])[0-9]{11}",
        "steuernummer|steuer nr|st nr|steuernr|finanzamt",
    ),
    Form(
        "DE_ID_CARD", "de", r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{7,8}[0-9]",
        "personalausweis|ausweis|ausweisnummer|perso|personalausweisnummer|german id card",
        fires="code",
    ),
    Form(
        "DE_PASSPORT", "de", r"[CFGHJK][0-9CFGHJKLMNPRTVWXYZ]{7,8}[0-9]",
        "reisepass|reisepassnummer|passnummer|pass nr|german passport",
        fires="code",
    ),
    Form(
        "DE_HEALTH_INSURANCE", "de", r"[A-Z][0-9]{9}",
        "krankenversichertennummer|versichertennummer|kvnr|krankenversicherung|krankenkasse"
        "|versicherten nr|gesundheitskarte|krankenversicherungsnummer",
    ),
    Form(
        "DE_SOCIAL_SECURITY", "de", r"[0-9]{2}~[0-9]{6}~[A-Z]~[0-9]{3}",
        "rentenversicherungsnummer|sozialversicherungsnummer|rvnr|sv nummer|svnr|sv nr"
        "|versicherungsnummer|rentenversicherung|sozialversicherung",
    ),
    Form(
        "DE_FUEHRERSCHEIN", "de", r"[A-Z0-9][0-9]{2}[A-Z0-9]{6}[0-9][A-Z0-9]",
        "fuhrerschein|fuhrerscheinnummer|fuhrerschein nr",
        fires="code",
    ),
    Form(
        "DE_HANDELSREGISTER", "de", r"HR[AB] ?[0-9]{3,6}(?: ?[A-Z]{1,2})?",
        "handelsregister|amtsgericht|hrb|hra|registergericht",
        fires="register",
    ),
    # Spain
    Form(
        "ES_NIF", "es", r"[0-9]{1,2}[. ][0-9]{3}[. ][0-9]{3}[- ]?[A-Z]|[0-9]{8}[ -][A-Z]",
        "dni|nif|documento nacional de identidad|n.i.f|d.n.i", check.es_nif, alone=0.85,
    ),
    Form(
        "ES_NIF", "es", r"[0-9]{7,8}-?[a-z]",
        "dni|nif|documento nacional de identidad|n.i.f|d.n.i", check.es_nif,
    ),
    Form(
        "ES_NIE", "es", r"[XYZ][- ]?[0-9]{7}[- ]?[A-Z]", "nie|n.i.e|extranjero", check.es_nif,
        alone=0.85, any_case=True,
    ),
    Form(
        "ES_CIF", "es", r"[ABCDEFGHJNPQRSUVW][- ]?[0-9]{7}[- ]?[0-9A-J]",
        "cif|nif|c.i.f|codigo de identificacion fiscal|empresa", check.es_cif,
    ),
    Form(
        "ES_SOCIAL_SECURITY", "es", r"[0-9]{2}~[0-9]{7,8}~[0-9]{2}",
        "seguridad social|nss|nass|nuss|numero de afiliacion|afiliacion", check.es_nss,
    ),
    Form("ES_PASSPORT", "es", r"[A-Z]{2,3}[0-9]{6}", "pasaporte|spanish passport",
        fires="run",
    ),
    # Finland
    Form(
        "FI_BUSINESS_ID", "fi", r"[0-9]{7}-[0-9]", "y tunnus|ytunnus|business id",
        check.fi_business,
    ),
    # France
    Form(
        "FR_NIR", "fr", rf"{_NIR_CORSICA}~[0-9]{{2}}", _NIR_LABELS, check.fr_nir, alone=0.95,
        fires="corsica",
    ),
    Form(
        "FR_NIR", "fr", rf"{_NIR}~[0-9]{{2}}", _NIR_LABELS, check.fr_nir, alone=0.95,
    ),
    Form(
        "FR_NIR", "fr", rf"{_NIR}(?!~[0-9])", _NIR_LABELS,
    ),
    Form(
        "FR_TAX_ID", "fr", r"[0-3][0-9]~[0-9]{2}~[0-9]{3}~[0-9]{3}~[0-9]{3}",
        "numero fiscal|fiscal|spi|numero fiscal de reference|impots", check.fr_tax,
    ),
    Form(
        "FR_SIRET", "fr", r"[0-9]{3}~[0-9]{3}~[0-9]{3}~[0-9]{5}", "siret|n siret", check.luhn
    ),
    Form("FR_SIREN", "fr", r"[0-9]{3}~[0-9]{3}~[0-9]{3}", "siren|n siren|rcs", check.luhn),
    Form(
        "FR_PASSPORT", "fr", r"[0-9]{2}[A-Z]{2}[0-9]{5}", "passeport|french passport|passport",
        fires="run",
    ),
    Form(
        "FR_ID_CARD", "fr", r"[0-9]{12}|[A-Z0-9]{2}[0-9][A-Z0-9]{5}[0-9]",
        "carte d'identite|cni|carte nationale d'identite|carte identite|piece d'identite",
        fires="code",
    ),
    Form(
        "FR_DRIVER_LICENSE", "fr", r"[0-9]{2}~[0-9]{2}~[0-9]{2}~[0-9]{6}|[0-9]{2}[A-Z]{2}[0-9]{5}",
        "permis de conduire|permis|numero de permis",
        fires="run",
    ),
    # Ireland
    Form(
        "IE_PPSN", "ie", r"[0-9]{7}~[A-W][ABHTW]?",
        "pps|ppsn|pps number|pps no|personal public service|personal public service number",
        check.ie_ppsn, any_case=True,
    ),
    Form("IE_PASSPORT", "ie", r"[A-Z]{2}[0-9]{7}", "irish passport"),
    # India
    Form(
        "IN_AADHAAR", "in", r"[0-9]{4}~[0-9]{4}~[0-9]{4}",
        "aadhaar|aadhar|adhaar|adhar|uidai|aadhaar number|aadhaar no|aadhaar card|uid",
        check.in_aadhaar,
    ),
    Form(
        "IN_DRIVER_LICENSE", "in", r"[A-Z]{2}[- ]?[0-9]{2}[- ]?(?:19|20)[0-9]{2}[- ]?[0-9]{7}",
        _LICENCE,
    ),
    # Italy
    Form(
        "IT_FISCAL_CODE", "it",
        r"[A-Z]{3}[ -]?[A-Z]{3}[ -]?[0-9]{2}[A-EHLMPRST][0-9]{2}[ -]?[A-Z][0-9LMNP-V]{3}[ -]?[A-Z]",
        "codice fiscale|cf|c.f|cod fisc|cod fiscale", check.it_fiscal_code, alone=1.0,
        any_case=True,
        fires="fiscal",
    ),
    Form(
        "IT_VAT_CODE", "it", r"(?:IT ?)?[0-9]{11}",
        "partita iva|p iva|piva|p.iva|partita iva n|vat|iva",
        lambda number: check.luhn(number[-11:]),
    ),
    Form(
        "IT_PASSPORT", "it", r"[A-Z]{2} ?[0-9]{7}", "passaporto|italian passport"
    ),
    Form(
        "IT_IDENTITY_CARD", "it", r"C[A-Z][0-9]{5}[A-Z]{2}|[A-Z]{2} ?[0-9]{7}|[0-9]{7}[A-Z]{2}",
        "carta d'identita|carta identita|ci|documento d'identita|cie",
        fires="run",
    ),
    Form(
        "IT_DRIVER_LICENSE", "it", r"[A-Z]{2}[0-9]{7}[A-Z]|U1[A-Z0-9]{6}[0-9][A-Z]",
        "patente|patente di guida",
        fires="code",
    ),
    # The Netherlands
    Form(
        "NL_BSN", "nl", r"[0-9]{3}~[0-9]{3}~[0-9]{3}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}|[0-9]{8}",
        "bsn|burgerservicenummer|burger service nummer|sofi|sofinummer|citizen service number"
        "|dutch social security|bsn nr|burgerservice", check.nl_bsn,
    ),
    Form(
        "NL_PASSPORT", "nl", r"[A-NP-Z]{2}[A-NP-Z0-9]{6}[0-9]",
        "paspoort|paspoortnummer|dutch passport|identiteitskaart|id kaart",
        fires="code",
    ),
    Form("NL_DRIVER_LICENSE", "nl", r"[0-9]{10}", "rijbewijs|rijbewijsnummer"),
    Form("NL_KVK", "nl", r"[0-9]{8}", "kvk|kvk nummer|kamer van koophandel"),
    # Poland
    Form(
        "PL_PESEL", "pl", r"[0-9]{2}[0-9]{2}[0-3][0-9]{6}", "pesel|nr pesel|pesel number",
        check.pl_pesel,
    ),
    Form(
        "PL_NIP", "pl", r"(?:PL ?)?[0-9]{3}~[0-9]{2,3}~[0-9]{2}~[0-9]{2,3}",
        "nip|numer identyfikacji podatkowej|nip number",
        lambda number: len(number.removeprefix("PL")) == 10
        and check.pl_nip(number.removeprefix("PL")),
    ),
    Form("PL_REGON", "pl", r"[0-9]{9}", "regon", check.pl_regon),
    Form(
        "PL_ID_CARD", "pl", r"[A-Z]{3} ?[0-9]{6}",
        "dowod|dowod osobisty|dowodu|dowodu osobistego|polish id card|nr dowodu", check.pl_id_card,
        fires="run",
    ),
    Form("PL_PASSPORT", "pl", r"[A-Z]{2} ?[0-9]{7}", "paszport|polish passport|paszportu"),
    # Portugal
    Form(
        "PT_NIF", "pt", r"[1-35-9][0-9]{2}~[0-9]{3}~[0-9]{3}",
        "nif|contribuinte|numero de contribuinte|identificacao fiscal|nipc|n.i.f", check.pt_nif,
    ),
    Form(
        "PT_NISS", "pt", r"[12][0-9]{2}~[0-9]{3}~[0-9]{3}~[0-9]{2}|[12][0-9]{10}",
        "niss|seguranca social|numero de seguranca social", check.pt_niss,
    ),
    Form(
        "PT_CITIZEN_CARD", "pt", r"[0-9]{8}~[0-9]~[A-Z0-9]{2}~[0-9]",
        "cartao de cidadao|cartao cidadao|citizen card|bilhete de identidade",
        check.pt_citizen_card,
    ),
    Form("PT_PASSPORT", "pt", r"[A-Z]{1,2}[0-9]{6}", "passaporte",
        fires="run",
    ),
    # Sweden
    Form(
        "SE_PERSONNUMMER", "se", r"(?:(?:19|20)[0-9]{2}|[0-9]{2})[01][0-9][0-9]{2}[-+][0-9]{4}",
        "personnummer|person nr|swedish personal number|samordningsnummer", check.se_personnummer,
        alone=0.85,
    ),
    # United Kingdom
    Form(
        "UK_NHS", "uk", r"[0-9]{3}~[0-9]{3}~[0-9]{4}",
        "nhs|nhs number|nhs no|national health service|health and care number|chi number",
        check.uk_nhs,
    ),
    Form(
        "UK_UTR", "uk", r"[0-9]{5}~[0-9]{5}K?", "utr|unique taxpayer reference|tax reference",
        lambda number: check.uk_utr(number[:10]),
    ),
    Form(
        "UK_VAT_NUMBER", "uk", r"GB ?[0-9]{3} ?[0-9]{4} ?[0-9]{2}", "vat|vat number|vat no",
        check.uk_vat, alone=0.85,
    ),
    Form(
        "UK_COMPANY_NUMBER", "uk", r"[0-9]{8}|(?:SC|NI|OC|SO|LP)[0-9]{6}",
        "company number|companies house|company registration|registered number|crn|company no",
        fires="run",
    ),
    Form(
        "UK_SORT_CODE", "uk", r"[0-9]{2}[- ][0-9]{2}[- ][0-9]{2}", "sort code|sortcode",
        fires="pairs",
    ),
    Form("UK_PASSPORT", "uk", r"[0-9]{9}", "uk passport|british passport"),
    # United States
    Form(
        "US_DRIVER_LICENSE", "us",
        r"[A-Z]{1,2}[0-9]{5,9}|[A-Z][0-9]{11,14}|[A-Z][0-9]{3}[- ][0-9]{3,4}[- ][0-9]{2,4}"
        r"(?:[- ][0-9]{1,4})?|[A-Z][0-9]{6}R|[0-9]{9}[A-Z]|[0-9]{7,8}[A-Z]|[A-Z]{2}[0-9]{6}[A-Z]",
        _LICENCE,
        fires="run",
    ),
    Form(
        "US_DRIVER_LICENSE", "us", r"[0-9]{7,10}",
        "driver license|drivers license|driver's license|driving license|driver licence"
        "|drivers licence|driver's licence|dl|driver id|drivers license number|license number"
        "|licence number",
    ),
    Form(
        "US_PASSPORT", "us", r"[0-9]{8,9}|[A-Z][0-9]{8}",
        "passport|us passport|american passport|travel document",
    ),
    Form(
        "US_EIN", "us", r"[0-9]{2}-[0-9]{7}",
        "ein|fein|employer identification|employer identification number|federal tax id|tax id",
    ),
    Form(
        "US_SSN", "us", r"(?!000|666|9)[0-9]{3}[- .]?(?!00)[0-9]{2}[- .]?(?!0000)[0-9]{4}",
        "ssn|social security|social security number|social security no|socialsecuritynumber|social",
    ),
    Form(
        "US_BANK_NUMBER", "us", r"[0-9]{8,17}",
        "account|account number|account no|acct|acct no|bank account|checking|checking account"
        "|savings account|a c|konto|kontonummer|compte|cuenta|conto",
    ),
)  # fmt: skip
