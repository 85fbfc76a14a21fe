"""Read manifest and documents of a cartridge or QTI package.

====================  ===========================================================================
``manifest``          reads ``imsmanifest.xml`` and ``context.xml``
``package_types``     checks and counts each type of package, with ``resources`` and ``counts``
``references``        finds the members that the manifest refers to
``identity``          compares course and Canvas with the expected ones
``emptiness``         decides whether a cartridge is empty
``document_readers``  chooses a reader for each document at level ``full``
``documents``         the readers of settings, modules, quizzes and discussions
``new_quizzes``       recognises New Quizzes
``links``             finds links that lead to nothing
``xml_reader``        reads untrusted XML, with ``xml_strict`` or, if need be, ``xml_recovering``
====================  ===========================================================================
"""
