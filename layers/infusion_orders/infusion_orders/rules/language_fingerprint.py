"""The fingerprint of the rule language of this release; `make generate` writes this file.

A version that was checked under the same fingerprint is trusted to compile, so its rules are compiled one by one when
they are first needed.  A version with another fingerprint is compiled as a whole before it decides.
"""

LANGUAGE_FINGERPRINT = "bec2fc4c54b129bb"
