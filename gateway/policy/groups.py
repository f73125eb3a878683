"""Groups of categories, so that a rule can say what it means: `group:contact`.

A group's name may have parts: `group:financial` is `financial.card` and
`financial.account` together. Names follow presidio-analyzer 2.2.366 and our own patterns.
"""

from __future__ import annotations

from collections.abc import Mapping

GROUPS: Mapping[str, frozenset[str]] = {
    "name": frozenset({"PERSON"}),
    "contact": frozenset(
        {"EMAIL_ADDRESS", "PHONE_NUMBER", "ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"}
    ),
    "address": frozenset({"CA_POSTAL_CODE", "DE_PLZ", "LOCATION", "UK_POSTCODE"}),
    "date": frozenset({"AGE", "DATE_TIME"}),
    "gov_id": frozenset(
        {
            "AT_PASSPORT",
            "AT_SVNR",
            "AU_PASSPORT",
            "AU_TFN",
            "BE_NATIONAL_NUMBER",
            "BR_CPF",
            "BR_PIS",
            "BR_RG",
            "CA_PASSPORT",
            "CA_SIN",
            "CH_AHV",
            "DE_ID_CARD",
            "DE_PASSPORT",
            "DE_SOCIAL_SECURITY",
            "DE_TAX_ID",
            "DE_TAX_NUMBER",
            "ES_NIE",
            "ES_NIF",
            "ES_PASSPORT",
            "ES_SOCIAL_SECURITY",
            "FI_PERSONAL_IDENTITY_CODE",
            "FR_ID_CARD",
            "FR_NIR",
            "FR_PASSPORT",
            "FR_TAX_ID",
            "IE_PASSPORT",
            "IE_PPSN",
            "IN_AADHAAR",
            "IN_PAN",
            "IN_PASSPORT",
            "IN_VOTER",
            "IT_FISCAL_CODE",
            "IT_IDENTITY_CARD",
            "IT_PASSPORT",
            "KR_FRN",
            "KR_PASSPORT",
            "KR_RRN",
            "NG_NIN",
            "NL_BSN",
            "NL_PASSPORT",
            "PH_PASSPORT",
            "PH_TIN",
            "PH_UMID",
            "PL_ID_CARD",
            "PL_PASSPORT",
            "PL_PESEL",
            "PT_CITIZEN_CARD",
            "PT_NIF",
            "PT_NISS",
            "PT_PASSPORT",
            "SE_PERSONNUMMER",
            "SG_NRIC_FIN",
            "TH_TNIN",
            "TR_NATIONAL_ID",
            "UK_NINO",
            "UK_PASSPORT",
            "UK_UTR",
            "US_ITIN",
            "US_PASSPORT",
            "US_SSN",
            "ZA_ID_NUMBER",
            "ZA_INCOME_TAX_NUMBER",
            "ZA_PASSPORT",
        }
    ),
    "vehicle": frozenset(
        {
            "BR_DRIVER_LICENSE",
            "DE_FUEHRERSCHEIN",
            "DE_KFZ",
            "FR_DRIVER_LICENSE",
            "IN_DRIVER_LICENSE",
            "IN_VEHICLE_REGISTRATION",
            "IT_DRIVER_LICENSE",
            "KR_DRIVER_LICENSE",
            "LICENSE_PLATE",
            "NG_VEHICLE_REGISTRATION",
            "NL_DRIVER_LICENSE",
            "TR_LICENSE_PLATE",
            "UK_DRIVING_LICENCE",
            "UK_VEHICLE_REGISTRATION",
            "US_DRIVER_LICENSE",
            "ZA_DRIVER_LICENSE",
            "ZA_LICENSE_PLATE",
            "ZA_TRAFFIC_REGISTER_NUMBER",
        }
    ),
    "financial.card": frozenset({"CREDIT_CARD"}),
    "financial.account": frozenset(
        {
            "ABA_ROUTING_NUMBER",
            "CRYPTO",
            "IBAN_CODE",
            "SWIFT_BIC",
            "UK_SORT_CODE",
            "US_BANK_NUMBER",
        }
    ),
    "health.record": frozenset(
        {
            "AU_MEDICARE",
            "CA_HEALTH_CARD",
            "DE_BSNR",
            "DE_HEALTH_INSURANCE",
            "DE_LANR",
            "MEDICAL_LICENSE",
            "UK_NHS",
            "US_CLAIM_NUMBER",
            "US_HEALTH_INSURANCE_MEMBER_ID",
            "US_MBI",
            "US_NPI",
            "US_PRESCRIPTION_NUMBER",
            "US_PRIOR_AUTHORIZATION_NUMBER",
            "US_REFERRAL_NUMBER",
        }
    ),
    "health.condition": frozenset(
        {
            "MEDICAL_CLINICAL_EVENT",
            "MEDICAL_DISEASE_DISORDER",
            "MEDICAL_FAMILY_HISTORY",
            "MEDICAL_HISTORY",
            "MEDICAL_MEDICATION",
            "MEDICAL_THERAPEUTIC_PROCEDURE",
        }
    ),
    "special": frozenset({"NRP"}),
    "online": frozenset(
        {
            "IMEI",
            "IP_ADDRESS",
            "MAC_ADDRESS",
            "URL",
            "UUID",
        }
    ),
    "business_id": frozenset(
        {
            "AT_VAT_ID",
            "AU_ABN",
            "AU_ACN",
            "BE_ENTERPRISE_NUMBER",
            "BR_CNPJ",
            "CH_UID",
            "DE_HANDELSREGISTER",
            "DE_VAT_ID",
            "ES_CIF",
            "FI_BUSINESS_ID",
            "FR_SIREN",
            "FR_SIRET",
            "IN_GSTIN",
            "IT_VAT_CODE",
            "KR_BRN",
            "NL_KVK",
            "PL_NIP",
            "PL_REGON",
            "SE_ORGANISATIONSNUMMER",
            "SG_UEN",
            "UK_COMPANY_NUMBER",
            "UK_VAT_NUMBER",
            "US_EIN",
            "US_PROVIDER_TAX_ID",
            "VAT_NUMBER",
            "ZA_COMPANY_REGISTRATION",
            "ZA_VAT_NUMBER",
        }
    ),
    "secret": frozenset(
        {
            "ANTHROPIC_API_KEY",
            "AWS_ACCESS_KEY",
            "AWS_SECRET_KEY",
            "AZURE_STORAGE_KEY",
            "DATABASE_URL",
            "GCP_API_KEY",
            "GITHUB_TOKEN",
            "GITLAB_TOKEN",
            "HUGGINGFACE_TOKEN",
            "JWT",
            "OPENAI_API_KEY",
            "PASSWORD_ASSIGNMENT",
            "PRIVATE_KEY",
            "SLACK_TOKEN",
            "STRIPE_KEY",
        }
    ),
}


def members(name: str, groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The categories of a group and of the groups below it; empty if there is no such group."""
    below = [cats for key, cats in groups.items() if key == name or key.startswith(f"{name}.")]
    return frozenset().union(*below)


def names(groups: Mapping[str, frozenset[str]]) -> list[str]:
    """Every name that `members` knows."""
    return sorted(set(groups) | {key.partition(".")[0] for key in groups})
