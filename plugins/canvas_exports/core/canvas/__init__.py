"""The Canvas API: everything we ask of Canvas, and everything it may answer. Knows nothing of Airflow or storage.

The protocol is written once, without I/O, and read from the bottom up::

    readings                                         numbers, dates and texts of others, within bounds
    pasted                                           ids in every form in which people paste them
    contexts, exports, selection, courses, models    what people and Canvas speak of
    migrations                                       the way back: imports of packages, and what they met with
    ids, origin, wire, endpoints                     a call: which request, and how its answer reads
    answers, parse, pages                            an answer: which value, which error, which next page
    budget, gate, tokens, peer, dialogue             how a call is carried out: pace, credentials, repetition
    oauth                                            a new token
    redirects, promises, download, ranges, glance    the way to a package, over one connection or several, or to its end
    upload                                           the way of a package into Canvas
    environment, bodies, timed                       what both ways of sending share: bounds on bytes, and on time
    transport, async_transport                       bytes, over urllib3 and over aiohttp
    line                                             how threads carry out dialogues, and are called off
    client, async_client                             the two ways in

Both clients drive the same dialogues, so they agree on every decision and differ only in how they wait and send.
Nothing is imported here: a DAG file that names a context must not pay for two HTTP libraries.
"""
