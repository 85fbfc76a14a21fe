"""Import a stored package into a course.

``request`` reads what a person asks for and ``choose_copy`` finds that copy. ``verified_package`` proves the package before
and during the upload, and ``safeguards`` refuses unsuitable target courses. ``restore`` runs these steps once, whatever
interrupts it; ``state`` is its checkpoint, ``wait`` polls Canvas, ``result`` is the receipt. ``form_labels`` holds the field
titles of the trigger form. ``drills`` restores sampled copies for trial.
"""
