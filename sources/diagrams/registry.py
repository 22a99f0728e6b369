"""The kinds of diagrams: the function that makes each, and its leaves of the taxonomy."""

from sources.diagrams.diagram import Kind
from sources.diagrams.kinds import circuits, floor_plans, geometry, maps, mechanics, sequences

MAP = "analysis/professional_chart/map"
KINDS: dict[str, Kind] = {
    "circuit": Kind(circuits.circuit, "analysis/professional_chart/circuit"),
    "floor_plan": Kind(floor_plans.floor_plan, "analysis/professional_chart/floor_plan"),
    "choropleth": Kind(maps.choropleth, MAP),
    "transit_map": Kind(maps.transit, MAP),
    "sequence": Kind(
        sequences.sequence, "analysis/professional_chart/other", "conversion/image_to_code/flowchart"
    ),
    "geometry": Kind(geometry.geometry, "logical_reasoning/mathematical/plane_geometry"),
    "mechanics": Kind(mechanics.mechanics, "logical_reasoning/other/physics"),
}  # fmt: skip
