"""The registry of instruction writers, by name."""

from taxonomy.writers.absent_text import AbsentText
from taxonomy.writers.chart_comparison import ChartComparison
from taxonomy.writers.common_line import CommonLine
from taxonomy.writers.counting import Counting
from taxonomy.writers.extraction_summary import ExtractionSummary
from taxonomy.writers.follow_ups import FOLLOW_UPS
from taxonomy.writers.formats import Formats
from taxonomy.writers.language_filter import LanguageFilter
from taxonomy.writers.leading_question import LeadingQuestion
from taxonomy.writers.page_comparison import PageComparison
from taxonomy.writers.page_matching import PageMatching
from taxonomy.writers.page_order import PageOrder
from taxonomy.writers.pair_of_pictures import PageDiscrimination, PageSimilarity
from taxonomy.writers.printed_instruction import PrintedInstruction
from taxonomy.writers.reading_order import ReadingOrder
from taxonomy.writers.region_text import RegionText
from taxonomy.writers.spatial_relation import SpatialRelation
from taxonomy.writers.spot_difference import SpotDifference
from taxonomy.writers.table_questions import TableQuestions
from taxonomy.writers.text_location import TextLocation
from taxonomy.writers.title import Title
from taxonomy.writers.transcription import Transcription
from taxonomy.writers.type_size import TypeSize
from taxonomy.writers.writer import QuestionKind, Writer

WRITERS: dict[str, Writer] = {
    cls.name: cls()
    for cls in (
        Transcription,
        Formats,
        LanguageFilter,
        ReadingOrder,
        RegionText,
        TextLocation,
        Counting,
        SpatialRelation,
        TypeSize,
        TableQuestions,
        ChartComparison,
        Title,
        ExtractionSummary,
        PageComparison,
        PageOrder,
        PageMatching,
        PageDiscrimination,
        PageSimilarity,
        CommonLine,
        SpotDifference,
        AbsentText,
        LeadingQuestion,
        PrintedInstruction,
    )
}
QUESTION_TEMPLATES: dict[str, QuestionKind] = {
    name: kind for writer in WRITERS.values() for name, kind in writer.question_templates.items()
} | {name: follow_up.kind for name, follow_up in FOLLOW_UPS.items()}


def served_leaves() -> dict[str, list[str]]:
    """Return the names of the writers by leaf, for the leaves that have any."""
    found: dict[str, list[str]] = {}
    for name, writer in WRITERS.items():
        for use_case in dict.fromkeys(kind.use_case for kind in writer.question_templates.values()):
            found.setdefault(use_case, []).append(name)
    return found
