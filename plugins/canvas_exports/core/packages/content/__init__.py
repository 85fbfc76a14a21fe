"""The content of a package: open it, list what is in it, read its documents and files.

====================  ===========================================================================
``model``             items, documents and modules in Canvas's nouns
``open``              opens a package, with the fewest requests
``course``            an open package
``package_members``   reads members, those that lie together with one request
``listing``           lists the resources of the manifest as items
``heads``             reads titles and states from the beginnings of documents
``settings_lists``    lists rubrics, learning outcomes and events
``outline``           reads the modules
``documents``         reads the document of an item of any kind
``addresses``         finds what a link in a document leads to
``file_blocks``       reads the bytes of a file, or a window of them
``html_text``         reads head, body and links of HTML
``xml_tree``          reads bounded XML as a tree
====================  ===========================================================================
"""
