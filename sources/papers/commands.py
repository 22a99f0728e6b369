r"""LaTeX commands by what they do to the text: left out with their arguments, styles, references, and so on.

An argument specification has one letter an argument: `m` mandatory, `o` optional, `s` a star, `d` a length.
"""

from collections.abc import Mapping

from sources.papers.blocks import CODE, EMPHASIS, STRONG

SECTIONS: Mapping[str, int] = {
    "\\part": 1, "\\chapter": 1, "\\section": 2, "\\subsection": 3, "\\subsubsection": 4, "\\paragraph": 5,
    "\\subparagraph": 6,
}  # fmt: skip
# Left out with their arguments.
LEFT_OUT: Mapping[str, str] = {
    **dict.fromkeys(
        ("\\label", "\\vspace", "\\hspace", "\\index", "\\pagestyle", "\\thispagestyle", "\\bibliographystyle",
         "\\nocite",
         "\\graphicspath", "\\hypersetup", "\\phantom", "\\vphantom", "\\hphantom", "\\enlargethispage",
         "\\pagenumbering",
         "\\stepcounter", "\\refstepcounter", "\\usetikzlibrary", "\\tikzset", "\\pgfplotsset", "\\lstset",
         "\\glsresetall",
         "\\selectlanguage", "\\citestyle", "\\setcitestyle", "\\pdfbookmark", "\\sisetup", "\\captionsetup",
         "\\geometry",
         "\\hyphenation", "\\bstctlcite", "\\addbibresource", "\\vadjust", "\\thanksmark", "\\fontfamily",
         "\\received", "\\revised", "\\accepted", "\\ccsdesc", "\\setcopyright", "\\acmDOI", "\\acmISBN",
         "\\newcounter",
         "\\newlength", "\\newsavebox", "\\color", "\\cellcolor", "\\rowcolor",
         "\\markright", "\\glossary", "\\includeonly", "\\excludecomment", "\\includecomment",
         "\\theoremstyle", "\\usebox", "\\special", "\\typeout", "\\message",
         "\\orcid", "\\columncolor", "\\todo",
         "\\linespread", "\\setstretch", "\\pagecolor", "\\write", ),
        "som",
    ),
    **dict.fromkeys(
        ("\\setlength", "\\addtolength", "\\setcounter", "\\addtocounter", "\\numberwithin", "\\markboth",
         "\\settowidth",
         "\\fontsize", "\\newcolumntype", "\\counterwithin", "\\sbox", "\\savebox",
         "\\settoheight", "\\rule", ),
        "somm",
    ),
    **dict.fromkeys(("\\newboolean", "\\newbool", "\\booltrue", "\\boolfalse", "\\newtoggle", "\\toggletrue",
                     "\\togglefalse"), "m"),
    **dict.fromkeys(("\\setbool", "\\setboolean", "\\algtext"), "smm"),
    "\\addcontentsline": "mmm", "\\definecolor": "mmm", "\\crefname": "mmm", "\\Crefname": "mmm", "\\newfloat": "mmm",
    "\\newacronym": "ommm", "\\DeclareMathSymbol": "mmmm", "\\cline": "m", "\\cmidrule": "om", "\\specialrule": "mmm",
    "\\openin": "d", "\\openout": "d", "\\closein": "", "\\closeout": "", "\\write18": "m", "\\read": "",
    "\\documentclass": "om", "\\documentstyle": "om", "\\acmYear": "m", "\\acmMonth": "m",
    "\\acmVolume": "m", "\\acmNumber": "m", "\\acmArticle": "m", "\\acmJournal": "m", "\\acmPrice": "m",
    "\\acmSubmissionID": "m", "\\pacs": "m", "\\preprint": "m", "\\journal": "m", "\\addlinespace": "o",
    "\\hline": "", "\\toprule": "o", "\\midrule": "o", "\\bottomrule": "o", "\\noalign": "m", "\\arraystretch": "",
    "\\citeindexfalse": "", "\\titlerunning": "om", "\\authorrunning": "om", "\\shorttitle": "m",
    "\\shortauthors": "m", "\\corref": "m", "\\fnref": "m", "\\tnoteref": "m", "\\inst": "m", "\\cortext": "om",
    "\\newline": "", "\\linebreak": "o", "\\pagebreak": "o", "\\nopagebreak": "o", "\\columnbreak": "",
    "\\AtBeginDocument": "m", "\\AtEndDocument": "m", "\\PassOptionsToPackage": "mm", "\\newtheoremstyle":
    "mmmmmmmmm", "\\DeclareGraphicsExtensions": "m", "\\tikzstyle": "m",
    "\\lstdefinestyle": "mm", "\\lstdefinelanguage": "omom", "\\newglossaryentry": "mm", "\\providelength": "m",
    "\\bibitemstop": "", "\\BibitemShut": "m", "\\bibAnnoteFile": "mm", "\\Eprint": "mm", "\\natexlab": "",
}  # fmt: skip
LENGTHS = frozenset(
    ("\\vskip", "\\hskip", "\\kern", "\\mkern", "\\mskip", "\\penalty", "\\parindent", "\\parskip", "\\baselineskip",
     "\\textwidth", "\\textheight", "\\oddsidemargin", "\\evensidemargin", "\\topmargin", "\\columnsep", "\\tabcolsep",
     "\\arraycolsep", "\\leftmargin", "\\rightmargin", "\\itemsep", "\\parsep", "\\topsep", "\\hsize", "\\vsize",
     "\\tolerance",
     "\\hbadness", "\\vbadness", "\\hfuzz", "\\vfuzz", "\\leftskip", "\\rightskip", "\\hangindent", "\\hangafter",
     "\\looseness", "\\emergencystretch", "\\abovedisplayskip", "\\belowdisplayskip", "\\fboxsep", "\\fboxrule",
     "\\interlinepenalty", "\\widowpenalty", "\\clubpenalty", "\\lower", "\\raise", "\\moveleft", "\\moveright",
     "\\overfullrule", "\\unitlength", "\\baselinestretch", "\\labelsep", "\\labelwidth", "\\pdfoutput", )
)  # fmt: skip
# Their last argument is text; the others are left out.
TRANSPARENT: Mapping[str, str] = {
    "\\textcolor": "omm", "\\colorbox": "omm", "\\fcolorbox": "mmm", "\\raisebox": "moom", "\\resizebox": "smmm",
    "\\scalebox": "mom", "\\rotatebox": "omm", "\\parbox": "ooomm", "\\makebox": "oom", "\\framebox": "oom",
    "\\adjustbox": "mm", "\\foreignlanguage": "mm", "\\texorpdfstring": "Mm", "\\bibinfo": "mm", "\\bibfield": "mm",
    "\\bibnamefont": "m", "\\bibfnamefont": "m", "\\href@noop": "mm", "\\hyperref": "om", "\\hyperlink": "mm",
    "\\hypertarget": "mm", "\\shortstack": "om", "\\citenamefont": "m", "\\ensuretext": "m", "\\translation": "m",
    "\\href": "omm", "\\BibitemOpen": "", "\\makecell": "om", "\\thead": "om", "\\lowercase": "m", "\\mbox": "m",
    "\\sethyphenation": "mm", "\\enquote": "m",
}  # fmt: skip
STYLES: Mapping[str, str] = {
    "\\textbf": STRONG, "\\emph": EMPHASIS, "\\textit": EMPHASIS, "\\textsl": EMPHASIS, "\\texttt": CODE,
}  # fmt: skip
DECLARATIONS: Mapping[str, str] = {
    "\\bf": STRONG, "\\bfseries": STRONG, "\\it": EMPHASIS, "\\itshape": EMPHASIS, "\\em": EMPHASIS, "\\sl": EMPHASIS,
    "\\slshape": EMPHASIS, "\\tt": CODE, "\\ttfamily": CODE,
}  # fmt: skip
REFERENCES = frozenset(
    ("\\ref", "\\eqref", "\\autoref", "\\cref", "\\Cref", "\\pageref", "\\nameref", "\\vref", "\\fullref", "\\subref",
     "\\labelcref", "\\cpageref", "\\Autoref", "\\Ref", "\\crefrange", "\\Crefrange", "\\ref*")
)  # fmt: skip
TWO_LABELS = frozenset(("\\crefrange", "\\Crefrange"))
CITATIONS = frozenset(
    ("\\cite", "\\citet", "\\citep", "\\citealt", "\\citealp", "\\citeauthor", "\\citeyear", "\\citeyearpar", "\\Citet",
     "\\Citep", "\\parencite", "\\textcite", "\\autocite", "\\footcite", "\\citenum", "\\onlinecite", "\\citen",
     "\\shortcite",
     "\\citeN", "\\citeA", "\\Cite", "\\fullcite", "\\citetitle", "\\supercite", "\\Parencite", "\\Textcite", "\\cites")
)  # fmt: skip
# Parts of the title: text at the beginning, in an order that the class decides.
FRONT: Mapping[str, str] = {
    "\\title": "som", "\\subtitle": "om", "\\author": "om", "\\date": "m", "\\affiliation": "om", "\\address": "om",
    "\\email": "om", "\\affil": "om", "\\institute": "om", "\\keywords": "m", "\\altaffiliation": "om",
    "\\homepage": "om",
    "\\collaboration": "om", "\\curraddr": "m", "\\ead": "om", "\\dedicatory": "m", "\\subjclass": "om",
    "\\translator": "om", "\\contrib": "om",
}  # fmt: skip
IN_FRONT = frozenset(
    ("\\institution", "\\city", "\\country", "\\state", "\\streetaddress", "\\postcode", "\\department")
)
MATH = frozenset(
    ("math", "displaymath", "equation", "align", "gather", "multline", "eqnarray", "flalign", "alignat", "xalignat",
     "dmath",
     "dgroup", "dseries", "empheq", "IEEEeqnarray", "xxalignat", "mathpar")
)  # fmt: skip
DRAWN = frozenset(
    ("tikzpicture", "pspicture", "picture", "pgfpicture", "forest", "axis", "circuitikz", "asy", "tikzcd", "overpic",
     "mfpic", "pspicture*", "xy", "psgraph", "scratch", "graph", "dot2tex", "diagram", "feynmandiagram", "fmffile",
     "luacode", "luacode*", "pycode", "pgfgraphicnamed", "chronology", "ganttchart", "CD", "TikzPicture")
)  # fmt: skip
FLOATS = {
    "figure": "figures", "wrapfigure": "figures", "SCfigure": "figures", "sidewaysfigure": "figures",
    "teaserfigure": "figures",
    "table": "tables", "wraptable": "tables", "sidewaystable": "tables", "margintable": "tables",
    "marginfigure": "figures",
    "algorithm": "figures", "deluxetable": "tables",
}  # fmt: skip
TABLES: Mapping[str, str] = {
    "tabular": "om", "tabular*": "mom", "tabularx": "mom", "tabulary": "mm", "longtable": "om", "supertabular": "m",
    "tblr": "om", "NiceTabular": "om", "longtblr": "om", "xltabular": "omm", "tabularray": "om",
    "xtabular": "m", "array": "om", "mpsupertabular": "m", "deluxetable": "m",
}  # fmt: skip
LISTS = {"itemize", "enumerate", "description", "inparaenum", "compactitem", "compactenum", "asparaenum", "labeling",
"list",
         "trivlist", "compactdesc", "tasks", "enumeratei", "easylist", "algorithmic"}  # fmt: skip
ENVIRONMENTS: Mapping[str, str] = {  # arguments of others
    "multicols": "m", "minipage": "ooom", "wrapfigure": "omom", "wraptable": "omom", "adjustwidth": "mm",
    "spacing": "m",
    "subfigure": "om", "subtable": "om", "otherlanguage": "m", "thebibliography": "m", "list": "mm", "enumerate": "o",
    "itemize": "o", "description": "o", "figure": "o", "table": "o", "algorithm": "o", "algorithmic": "o",
    "labeling": "om",
    "tcolorbox": "o", "frame": "oo", "column": "m", "CJK": "mm", "CJK*": "mm", "abstract": "o", "quote": "",
    "fminipage": "om",
    "sidewaystable": "o", "sidewaysfigure": "o", "compactenum": "o", "compactitem": "o", "changemargin": "mm",
    "addmargin": "om", "block": "m", "scope": "o", "threeparttable": "o", "tablenotes": "o", "mdframed": "o",
    "alltt": "", "center": "", "flushleft": "", "flushright": "", "quotation": "", "verse": "", "titlepage": "",
}  # fmt: skip
THEOREMS: Mapping[str, str] = {
    name: name.capitalize()
    for name in ("theorem", "lemma", "proposition", "corollary", "definition", "remark", "example", "proof",
    "conjecture",
                 "claim", "notation", "assumption", "exercise", )
}  # fmt: skip
FIXED_ENVIRONMENTS = {
    f"\\begin:{name}"
    for name in (*MATH, *(f"{name}*" for name in MATH), *DRAWN, *FLOATS, *(f"{name}*" for name in FLOATS), *TABLES,
    *LISTS,
                 "document", "abstract", "thebibliography", "quote", "quotation", "center")
}  # fmt: skip
