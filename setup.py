"""What pyproject.toml cannot say: the folders beside the packages go into a wheel inside `reporting`."""

from __future__ import annotations

from setuptools import find_namespace_packages, setup

code = find_namespace_packages(include=["reporting*", "referrals*"])
beside = find_namespace_packages(include=["templates*", "translations*"])
setup(
    packages=[*code, *(f"reporting.{name}" for name in beside)],
    package_dir={f"reporting.{name}": name.replace(".", "/") for name in beside},
)
