"""MathML to TeX."""

import pytest
from lxml import etree

from sources.books.mathml import to_tex

SUM = "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
MATRIX = "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>38</mn></mtd></mtr><mtr><mtd><mi>a</mi></mtd><mtd/></mtr></mtable>"
CASES = [
    ("<mi>x</mi><mo>∈</mo><mi>S</mi>", r"x \in S"),
    ("<mn>3</mn><mn>8</mn>", "38"),
    ("<mi>a</mi><mo>=</mo><mo>−</mo><mi>b</mi><mo>−</mo><mi>c</mi>", "a = -b - c"),
    ("<mi>sin</mi><mi>x</mi>", r"\sin x"),
    ("<mi>α</mi><mi>β</mi><mi>Γ</mi><mi>Α</mi><mi>ς</mi>", r"\alpha\beta\Gamma A\varsigma"),
    ("<mi mathvariant='bold'>v</mi><mi>ℝ</mi><mi>𝐱</mi>", r"\mathbf{v}\mathbb{R}\mathbf{x}"),
    ("<mi mathvariant='script'>𝒦</mi>", r"\mathcal{K}"),
    ("<mi>rank</mi><mo>(</mo><mi>A</mi><mo>)</mo>", r"\mathrm{rank}(A)"),
    ("<mfrac><mn>1</mn><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></mfrac>", r"\frac{1}{n + 1}"),
    ("<mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac>", r"\genfrac{}{}{0pt}{}{n}{k}"),
    ("<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>", r"\sqrt{x + 1}"),
    ("<mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt[3]{x}"),
    ("<msup><mi>f</mi><mo>′</mo></msup><mo>(</mo><mi>x</mi><mo>)</mo>", "f'(x)"),
    ("<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>", "x_{i}^{2}"),
    ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "{a + b}^{2}"),
    (f"{SUM}<msub><mi>a</mi><mi>i</mi></msub>", r"\sum_{i = 1}^{n}a_{i}"),
    ("<mover><mi>x</mi><mo>¯</mo></mover>", r"\bar{x}"),
    ("<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>→</mo></mover>", r"\overrightarrow{AB}"),
    ("<munder><mi>lim</mi><mrow><mi>x</mi><mo>→</mo><mn>0</mn></mrow></munder>", r"\lim_{x \to 0}"),
    ("<munderover><mo>→</mo><mrow/><mrow><mi>f</mi></mrow></munderover>", r"\xrightarrow{f}"),
    ("<mfenced open='[' close=']'><mi>a</mi><mi>b</mi></mfenced>", "[a, b]"),
    ("<mfenced><mfrac><mn>1</mn><mn>2</mn></mfrac></mfenced>", r"\left(\frac{1}{2}\right)"),
    (f"<mo>[</mo>{MATRIX}<mo>]</mo>", r"\begin{bmatrix} 1 & 38 \\ a \end{bmatrix}"),
    (f"<mfenced separators=''>{MATRIX}</mfenced>", r"\begin{pmatrix} 1 & 38 \\ a \end{pmatrix}"),
    (f"<mi>f</mi><mo>=</mo><mrow><mo>{{</mo>{MATRIX}</mrow>", r"f = \begin{cases} 1 & 38 \\ a \end{cases}"),
    ("<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>", "{}^{14}C_{6}"),
    ("<mtext>if </mtext><mi>x</mi><mtext>&amp;</mtext>", r"\text{if }x\text{\&}"),
    ("<mi>x</mi><mo>,</mo><mspace width='0.3em'/><mi>y</mi>", "x, y"),
    ("<semantics><mi>x</mi><annotation encoding='application/x-tex'>\\xi</annotation></semantics>", r"\xi"),
    ("<semantics><mi>x</mi><annotation encoding='StarMath'>xi</annotation></semantics>", "x"),
    ("<menclose notation='box'><mi>x</mi></menclose>", r"\boxed{x}"),
    ("<mo>{</mo><mi>x</mi><mo>}</mo><mo>%</mo>", r"\{x\}\%"),
    ("<msub/><mfrac/><mtable/><mfenced/>", r"\frac{}{}\begin{matrix} \end{matrix}()"),
]


@pytest.mark.parametrize(("markup", "tex"), CASES)
def test_formula(markup: str, tex: str) -> None:
    assert to_tex(etree.fromstring(f"<math>{markup}</math>")) == tex


def test_tags_may_have_a_namespace() -> None:
    markup = '<m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:mi>x</m:mi><m:mo>≤</m:mo><m:mn>1</m:mn></m:math>'
    assert to_tex(etree.fromstring(markup)) == r"x \leq 1"
