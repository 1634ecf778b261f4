"""What do Synthea's codes mean for benefits?

Unknown codes never fail: a visit takes the category of its class, everything else is `other`. The words of `category`
are `preventive`, `primary_care`, `outpatient`, `urgent_care`, `telehealth`, `emergency`, `inpatient`, `procedure`,
`immunization`, `drug`, `other`; those of `line_kind` are `visit`, `procedure`, `immunization`, `drug`, `other`.
"""

from __future__ import annotations

from typing import Final

SNOMED: Final = "http://snomed.info/sct"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
NPI: Final = "http://hl7.org/fhir/sid/us-npi"

CLASS_WORDS: Final = {
    "AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient", "ACUTE": "inpatient", "NONAC": "inpatient",
    "OBSENC": "outpatient", "SS": "outpatient", "VR": "virtual", "HH": "home", "FLD": "ambulatory",
}  # fmt: skip
"""HL7 v3 ActCode encounter classes in the words of Synthea's CSV export (fact `encounter_class`)."""

CLASS_CATEGORIES: Final = {
    "wellness": "preventive", "ambulatory": "primary_care", "outpatient": "outpatient", "urgentcare": "urgent_care",
    "emergency": "emergency", "inpatient": "inpatient", "virtual": "telehealth", "home": "primary_care",
    "hospice": "inpatient", "snf": "inpatient",
}  # fmt: skip

WELLNESS_TYPES: Final = frozenset({"410620009", "162673000", "185349003"})
"""SNOMED CT types of Synthea's wellness visits (well child visit, general examination, encounter for check up); the
FHIR export gives them the class AMB."""

TYPE_CATEGORIES: Final = {
    "33879002": "preventive",  # administration of vaccine to produce active immunity
    "424441002": "preventive",  # prenatal initial visit: 45 CFR 147.130 by way of the HRSA women's guidelines
    "424619006": "preventive",  # prenatal visit
    "169762003": "preventive",  # postnatal visit
    "448337001": "telehealth",  # telemedicine consultation with patient
    "185317003": "telehealth",  # telephone encounter
    "371883000": "outpatient",  # outpatient procedure
    "702927004": "urgent_care",  # urgent care clinic
    "308646001": "other",  # death certification
}
"""SNOMED CT encounter types of ambulatory visits that are something else than primary care; wellness is a class."""

KIND_CATEGORIES: Final = {"procedure": "procedure", "immunization": "immunization", "drug": "drug"}

KIND_SYSTEMS: Final = {"visit": SNOMED, "procedure": SNOMED, "immunization": CVX, "drug": RXNORM, "other": SNOMED}
"""The CSV export gives no code system; these are the ones Synthea uses for each table."""

SYSTEM_KINDS: Final = {CVX: "immunization", RXNORM: "drug"}

_R4_NAMES: Final = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary
BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest
CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement
DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List
Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge
MedicationRequest MedicationStatement MedicinalProduct MedicinalProductAuthorization
MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
Observation ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation
Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure
Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule
SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap Subscription
Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport
TestScript ValueSet VerificationResult VisionPrescription
"""
RESOURCE_TYPES: Final = frozenset(_R4_NAMES.split())
"""The 146 resources of FHIR R4 4.0.1: a name outside them is a typing error or another release."""


def encounter_class(visit_class: str, type_code: str) -> str:
    """The class in Synthea's own words, from a FHIR class code or a CSV word; `other` when neither."""
    word = CLASS_WORDS.get(visit_class, visit_class if visit_class in CLASS_CATEGORIES else "other")
    return "wellness" if word == "ambulatory" and visit_class == "AMB" and type_code in WELLNESS_TYPES else word


def visit_category(encounter: str, type_code: str) -> str:
    """The benefit category of a visit: emergency and inpatient by class, ambulatory visits by type, then by class."""
    by_class = CLASS_CATEGORIES.get(encounter, "other")
    return by_class if by_class in ("emergency", "inpatient") else TYPE_CATEGORIES.get(type_code, by_class)


def line_category(kind: str, visit: str) -> str:
    """The benefit category of a line from its kind and the category of its visit."""
    return visit if kind == "visit" else KIND_CATEGORIES.get(kind, "other")
