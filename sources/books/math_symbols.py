"""Unicode characters of formulas as TeX."""

import re
import unicodedata

_GREEK = {"lamda": "lambda", "final sigma": "varsigma", "omicron": ""}
_LATIN_CAPITALS = frozenset(
    ["ALPHA", "BETA", "EPSILON", "ZETA", "ETA", "IOTA", "KAPPA", "MU", "NU", "OMICRON", "RHO", "TAU", "CHI"]
)
_STYLES = {
    "BOLD ITALIC": "boldsymbol",
    "BOLD SCRIPT": "mathcal",
    "BOLD FRAKTUR": "mathfrak",
    "SANS-SERIF": "mathsf",
    "DOUBLE-STRUCK": "mathbb",
    "MONOSPACE": "mathtt",
    "SCRIPT": "mathcal",
    "FRAKTUR": "mathfrak",
    "BLACK-LETTER": "mathfrak",
    "BOLD": "mathbf",
}
VARIANTS = {
    "bold": "mathbf",
    "bold-italic": "boldsymbol",
    "double-struck": "mathbb",
    "script": "mathcal",
    "bold-script": "mathcal",
    "fraktur": "mathfrak",
    "bold-fraktur": "mathfrak",
    "sans-serif": "mathsf",
    "bold-sans-serif": "mathsf",
    "monospace": "mathtt",
    "normal": "mathrm",
}
_FUNCTIONS = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf
ker lg lim liminf limsup ln log max min Pr sec sin sinh sup tan tanh
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
# Operators with limits below and above them.
LIMITS = frozenset("∑∏∐⋃⋂⨁⨂⨀⋁⋀⨆")
INTEGRALS = frozenset("∫∬∭∮∯∰")
ARROWS = {"→": "xrightarrow", "⟶": "xrightarrow", "←": "xleftarrow", "⟵": "xleftarrow", "⇒": "xRightarrow"}
OVER = {
    "¯": "bar", "‾": "overline", "―": "overline", "_": "overline", "^": "hat", "ˆ": "hat", "~": "tilde", "˜": "tilde",
    "→": "vec", "⃗": "vec", "˙": "dot", "¨": "ddot", "ˇ": "check", "˘": "breve", "´": "acute", "`": "grave",
    "⏞": "overbrace", "︷": "overbrace", "˚": "mathring", "←": "overleftarrow", "↔": "overleftrightarrow",
}  # fmt: skip
UNDER = {"_": "underline", "¯": "underline", "‾": "underline", "̲": "underline", "⏟": "underbrace", "︸": "underbrace"}
WIDE = {"bar": "overline", "hat": "widehat", "tilde": "widetilde", "vec": "overrightarrow"}

_TABLE = r"""
− -  ± \pm  ∓ \mp  × \times  ÷ \div  · \cdot  ⋅ \cdot  ∗ *  ∘ \circ  ∙ \bullet  • \bullet  ⊕ \oplus  ⊖ \ominus
⊗ \otimes  ⊙ \odot  ∧ \wedge  ∨ \vee  ∩ \cap  ∪ \cup  ⊔ \sqcup  ⊓ \sqcap  ∖ \setminus  ⋆ \star  ≤ \leq  ≥ \geq
⩽ \leqslant  ⩾ \geqslant  ≪ \ll  ≫ \gg  ≠ \neq  ≈ \approx  ≡ \equiv  ∼ \sim  ≃ \simeq  ≅ \cong  ∝ \propto
≺ \prec  ≻ \succ  ⪯ \preceq  ⪰ \succeq  ∈ \in  ∉ \notin  ∋ \ni  ⊂ \subset  ⊃ \supset  ⊆ \subseteq  ⊇ \supseteq
⊈ \nsubseteq  ⊊ \subsetneq  ⊥ \perp  ∥ \parallel  ∣ \mid  ∤ \nmid  ⊢ \vdash  ⊨ \models  ≔ :=  ≐ \doteq  → \to
⟶ \longrightarrow  ← \leftarrow  ⟵ \longleftarrow  ↔ \leftrightarrow  ⟷ \longleftrightarrow  ⇒ \Rightarrow
⟹ \implies  ⇐ \Leftarrow  ⇔ \Leftrightarrow  ⟺ \iff  ↦ \mapsto  ⟼ \longmapsto  ↪ \hookrightarrow  ↑ \uparrow
↓ \downarrow  ⇌ \rightleftharpoons  ↗ \nearrow  ↘ \searrow  ⇀ \rightharpoonup  ∑ \sum  ∏ \prod  ∐ \coprod
∫ \int  ∬ \iint  ∭ \iiint  ∮ \oint  ⋃ \bigcup  ⋂ \bigcap  ⨁ \bigoplus  ⨂ \bigotimes  ⋁ \bigvee  ⋀ \bigwedge
∞ \infty  ∂ \partial  ∇ \nabla  ∆ \Delta  ∀ \forall  ∃ \exists  ∄ \nexists  ¬ \neg  ∅ \emptyset  ℓ \ell  ℏ \hbar
ℜ \Re  ℑ \Im  ℘ \wp  ℵ \aleph  ı \imath  ȷ \jmath  ∠ \angle  △ \triangle  □ \square  ⊤ \top  √ \surd  ° ^{\circ}
′ '  ″ ''  ‴ '''  … \ldots  ⋯ \cdots  ⋮ \vdots  ⋱ \ddots  〈 \langle  〉 \rangle  ⟨ \langle  ⟩ \rangle  ⌊ \lfloor
⌋ \rfloor  ⌈ \lceil  ⌉ \rceil  ‖ \|  ∴ \therefore  ∵ \because  ϵ \epsilon  ε \varepsilon  ϕ \phi  φ \varphi
ϑ \vartheta  ϖ \varpi  ϱ \varrho  † \dagger  ‡ \ddagger  { \{  } \}  % \%  # \#  & \&  $ \$  _ \_  \ \backslash
~ \sim  ^ \hat{}  µ \mu  Å \text{Å}  ‐ -  ‑ -  – -  ― -
"""
_SYMBOLS = dict(pair.split() for pair in re.split(r"\n|  ", _TABLE.strip())) | {
    "\u2329": "\\langle",
    "\u232a": "\\rangle",
    "\u00a0": "~",
    "\u2061": "",
    "\u2062": "",
    "\u2063": "",
    "\u2064": "",
    "\u200b": "",
    "\ufeff": "",
    "\u2009": "\\,",
    "\u2003": "\\quad",
    "\u2002": "\\;",
}

BINARY = frozenset("+-−±∓×÷·⋅∗∘⊕⊖⊗⊙∧∨∩∪⊔⊓∖⋆/*")
RELATIONS = frozenset("=<>≤≥⩽⩾≪≫≠≈≡∼≃≅∝≺≻⪯⪰∈∉∋⊂⊃⊆⊇⊈⊊⊥∥∣∤⊢⊨≔≐→⟶←⟵↔⟷⇒⟹⇐⇔⟺↦⟼↪⇌:∶")


def tex_of(character: str) -> str:
    """Return a character as TeX; one that has no command stays as it is."""
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if character.isascii():
        return character
    name = unicodedata.name(character, "")
    if name.startswith("GREEK ") and "LETTER " in name and " WITH " not in name:
        return _greek(name)
    if name.startswith("MATHEMATICAL ") or any(style in name for style in ("DOUBLE-STRUCK", "SCRIPT", "BLACK-LETTER")):
        return _styled(character, name)
    return character


def _greek(name: str) -> str:
    letter = name.rpartition("LETTER ")[2]
    if " CAPITAL " in name and letter in _LATIN_CAPITALS:
        return {"CHI": "X", "ETA": "H", "RHO": "P", "NU": "N"}.get(letter, letter[0])
    spelled = letter.lower()
    command = _GREEK.get(spelled, spelled)
    if not command:
        return "o"
    return "\\" + (command.capitalize() if " CAPITAL " in name else command)


def _styled(character: str, name: str) -> str:
    plain = "".join(map(tex_of, unicodedata.normalize("NFKC", character)))
    command = next((command for style, command in _STYLES.items() if style in name), None)
    return plain if command is None or plain == character else f"\\{command}{{{plain}}}"
