"""Forms of sentences that tell what a question takes for granted, in English and Chinese.

In a bag of words a question tag or an "if" is two words among ten, and what the prompt is about decides. A form is a
token of its own, for which the examples of all subjects count together.
"""

import re

_AUXILIARY = r"(?:is|are|was|were|does|do|did|has|have|can|could|would|will|must|should|am)"
_PRONOUN = r"(?:i|you|he|she|it|we|they|there)"
_SAID = (  # a statement that wants to be confirmed
    rf"\b{_AUXILIARY}n['’]?t {_PRONOUN}\W*$"
    rf"|^\W*(?:isn|aren|don|didn|doesn|wasn)['’]?t (?:it|you|we|they|this|that|there)\b"
    rf"|[,;:.–-] *(?:so )?(?:right|correct|true|agreed?|yes|no|ok(?:ay)?|{_AUXILIARY} {_PRONOUN})\W*$"
    r"|\b(?:do|would|will|must) you (?:not )?agree\b|\bwe (?:can )?(?:all|both) (?:agree|know|see)\b"
    r"|\bam i right\b|\b(?:don|wouldn)['’]?t you (?:think|say|agree)\b|\bconfirm (?:for me |please )?that\b"
    r"|(?:吧|对不对|是不是|不是吗|对吗|是吗)\W*$|^\W*(?:请|来)?确认|承认吧|你也(?:这么|看见|同意|觉得)|你说是"
)
_PRESUMED = (  # a reason or a certainty that is given along with the question
    r"\b(?:obviously|clearly|surely|evidently|undoubtedly|of course|no doubt|definitely)\b"
    r"|^\W*(?:since|given that|seeing that|seeing as|as (?:we|you|the|everyone)|now that)\b"
    r"|\b(?:proves?|confirms|reveals|it(?:['’]s| is) (?:obvious|clear|evident|true|known|a fact))\b"
    r"|既然|显然|明显|明明|明摆着|毫无疑问|毋庸置疑|肯定|想必|一看就|看得出|都知道|证明|证实"
)
_SUPPOSED = (  # what is not so
    r"\b(?:suppos(?:e|ing)|imagine|pretend|hypothetically|assum(?:e|ing)|what if|in case|let['’]s say)\b"
    r"|\bif\b(?=.*\b(?:were|weren['’]t|had|hadn['’]t|would|wouldn['’]t|could|might|didn['’]t|wasn['’]t)\b)"
    r"|\b(?:would|could|might)\b(?=.*\b(?:if|without|had|were|instead)\b)"
    r"|^\W*(?:had|were|should)\b(?=.*\b(?:would|could|might)\b)"
    r"|如果|假如|要是|假设|倘若|倘使|假使|若是|若(?!干)|万一|假定|假装|想象|的话|当初|换成|反过来"
)
FORMS = tuple(
    (token, re.compile(pattern))
    for token, pattern in (("<said>", _SAID), ("<presumed>", _PRESUMED), ("<supposed>", _SUPPOSED))
)


def forms_of(prompt: str) -> list[str]:
    """Return the tokens of the forms that a prompt in lower case has."""
    return [token for token, pattern in FORMS if pattern.search(prompt)]
