"""The proof: is this package whole, and is it the one that was asked for?

====================  ======================================================================
``model``             what a proof is asked and what it answers
``directory``         level ``directory``: what the zip's directory and its manifest tell
``full``              level ``full``: a stored package from its first byte to its last
``zip_directory``     a zip's directory, read from the end of the file
``members``           what the directory may not say of its members
``cartridge``         ``imsmanifest.xml`` and ``context.xml``, through ``xml_reader``
``resources``         whether what the manifest speaks of is there, through ``references``
``identity``          whether it is the course, and the Canvas, that was asked for
``common_cartridge``  the checks of a cartridge; ``qti`` and ``file_package`` those of the others
``kinds``             how many pages, quizzes, ... there are
``stream``            a stored package, digested, in pieces as they are asked for
``unpacking``         every member inflated and held against the directory
``contents``          which documents are read then; ``documents`` what they tell
``content_digest``    equal for equal content
====================  ======================================================================
"""
