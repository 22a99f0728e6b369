"""Floor plans: rooms with areas, doors and an entrance, as a drawing and as JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sources.charts.questions.question import Question
from sources.diagrams.canvas import PAD, Canvas, Point
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

ROOMS = (
    ("Living room", "客厅"), ("Kitchen", "厨房"), ("Bedroom 1", "卧室1"), ("Bedroom 2", "卧室2"), ("Study", "书房"),
    ("Bathroom", "浴室"), ("Dining room", "餐厅"), ("Hall", "门厅"), ("Storage", "储藏室"), ("Office", "办公室"),
    ("Laundry", "洗衣房"), ("Playroom", "游戏室"),
)  # fmt: skip
MIN_SIDE = 3  # of a room, in half metres times two: sides are multiples of half a metre
MAX_AREA = 40  # half metres squared below which a room is not divided
DOOR_PLACE = 0.28  # of a door along its wall: away from the texts in the middle
TITLE = {"en": "Floor plan, {area} m²", "zh": "平面图，{area}平方米"}
INTRO = {
    "en": "The floor plan has {count} rooms with {area} m² in all: {rooms}. "
          "The entrance leads into: {entrance}. {doors}",
    "zh": "平面图有{count}个房间，总面积{area}平方米：{rooms}。入口通向{entrance}。{doors}",
}  # fmt: skip
DOOR = {"en": "A door joins {a} and {b}.", "zh": "{a}与{b}之间有门。"}
YES = {"en": {True: "Yes", False: "No"}, "zh": {True: "是", False: "否"}}
Wall = tuple[tuple[int, int], tuple[int, int]]
Box = tuple[int, int, int, int]  # x, y, width, height in half metres


@dataclass(frozen=True, slots=True)
class Plan:
    """Rooms by name, doors between two rooms, and the room behind the entrance (on the lower side)."""

    width: int
    height: int
    names: tuple[str, ...]
    boxes: tuple[Box, ...]
    doors: tuple[tuple[int, int], ...]
    entrance: int

    def area(self, k: int) -> float:
        return self.boxes[k][2] * self.boxes[k][3] / 4


def floor_plan(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a plan of four to eight rooms."""
    width, height = random.randint(20, 30), random.randint(15, 22)
    boxes = _divide((0, 0, width, height), random)
    while not 4 <= len(boxes) <= 8 or len({w * h for _, _, w, h in boxes}) < len(boxes):
        boxes = _divide((0, 0, width, height), random)
    names = tuple(pair[language == "zh"] for pair in random.sample(ROOMS, len(boxes)))
    links = [(i, j) for i in range(len(boxes)) for j in range(i) if _wall(boxes[i], boxes[j])]
    entrance = random.choice([k for k, (_, y, _, h) in enumerate(boxes) if y + h == height])
    plan = Plan(width, height, names, tuple(boxes), tuple(sorted(_doors(len(boxes), links, random))), entrance)
    total = _number(width * height / 4)
    title = pick(TITLE, language, area=total)
    canvas = Canvas(style, title)
    _draw(canvas, plan, language)
    comma = {"en": ", ", "zh": "、"}[language]
    unit = {"en": " m²", "zh": "平方米"}[language]
    listed = comma.join(f"{name} ({_number(plan.area(k))}{unit})" for k, name in enumerate(names))
    doors = {"en": " ", "zh": ""}[language].join(pick(DOOR, language, a=names[i], b=names[j]) for i, j in plan.doors)
    return Diagram(
        kind="floor_plan", language=language, title=title, canvas=canvas, data=("json", to_json(plan)),
        description=pick(INTRO, language, count=len(boxes), area=total, rooms=listed, entrance=names[entrance],
                         doors=doors),
        questions=tuple(_questions(plan, language, random, links)),
    )  # fmt: skip


def to_json(plan: Plan) -> str:
    """Return the plan as JSON: areas in square metres, doors between two rooms."""
    return json.dumps(
        {
            "rooms": [
                {"name": name, "width_m": box[2] / 2, "depth_m": box[3] / 2, "area_m2": plan.area(k)}
                for k, (name, box) in enumerate(zip(plan.names, plan.boxes, strict=True))
            ],
            "doors": [[plan.names[i], plan.names[j]] for i, j in plan.doors],
            "entrance": plan.names[plan.entrance],
        },
        ensure_ascii=False,
        indent=1,
    )


def _divide(box: Box, random: Random) -> list[Box]:
    """Cut a box across its longer side until rooms are small enough."""
    x, y, width, height = box
    if width * height < MAX_AREA * random.uniform(1.6, 3.2):
        return [box]
    if width >= height:
        cut = round(width * random.uniform(0.36, 0.64))
        parts = ((x, y, cut, height), (x + cut, y, width - cut, height))
    else:
        cut = round(height * random.uniform(0.36, 0.64))
        parts = ((x, y, width, cut), (x, y + cut, width, height - cut))
    if min(min(part[2:]) for part in parts) < 2 * MIN_SIDE:
        return [box]
    return [room for part in parts for room in _divide(part, random)]


def _wall(a: Box, b: Box) -> Wall | None:
    """Return the ends of the wall that two rooms share if a door fits into it, else None."""
    for first, second in ((a, b), (b, a)):
        if first[0] + first[2] == second[0]:
            low, high = max(first[1], second[1]), min(first[1] + first[3], second[1] + second[3])
            if high - low >= 4:
                return (second[0], low), (second[0], high)
        if first[1] + first[3] == second[1]:
            low, high = max(first[0], second[0]), min(first[0] + first[2], second[0] + second[2])
            if high - low >= 4:
                return (low, second[1]), (high, second[1])
    return None


def _doors(count: int, links: list[tuple[int, int]], random: Random) -> list[tuple[int, int]]:
    """Return doors that join all rooms: a random spanning tree, and at most one more."""
    random.shuffle(links)
    group = list(range(count))
    doors, others = [], []
    for i, j in links:
        if group[i] != group[j]:
            old = group[i]
            group = [group[j] if member == old else member for member in group]
            doors.append((i, j))
        else:
            others.append((i, j))
    return doors + others[: random.randint(0, 1)]


def _draw(canvas: Canvas, plan: Plan, language: str) -> None:
    font = canvas.style.font_px
    room_top = canvas.top + 1.6 * font
    scale = min(
        (canvas.width - 2 * PAD - 5 * font) / plan.width, (canvas.height - room_top - PAD - 2.2 * font) / plan.height
    )
    left = (canvas.width - plan.width * scale) / 2 + 1.5 * font
    wall = 2.4 * canvas.style.stroke_px

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x * scale, room_top + y * scale

    for k, (x, y, w, h) in enumerate(plan.boxes):
        fill = canvas.look.fills[k % len(canvas.look.fills)]
        canvas.rect(place(x, y), (w * scale, h * scale), fill=fill, width=wall)
    for i, j in plan.doors:
        ends = _wall(plan.boxes[i], plan.boxes[j])
        assert ends is not None
        _door(canvas, place, ends)
    x, _, w, _ = plan.boxes[plan.entrance]
    _door(canvas, place, ((x, plan.height), (x + w, plan.height)))
    canvas.text(
        (place(x + w / 2, 0)[0], place(0, plan.height)[1] + 1.1 * font), {"en": "Entrance", "zh": "入口"}[language]
    )
    unit = {"en": "m²", "zh": "m²"}[language]
    for k, (x, y, w, h) in enumerate(plan.boxes):
        centre = place(x + w / 2, y + h / 2)
        canvas.text((centre[0], centre[1] - 0.65 * font), plan.names[k], bold=True)
        canvas.text((centre[0], centre[1] + 0.7 * font), f"{_number(plan.area(k))} {unit}")
    canvas.text((place(plan.width / 2, 0)[0], room_top - 0.9 * font), f"{_number(plan.width / 2)} m")
    canvas.text((left - 0.7 * font, place(0, plan.height / 2)[1]), f"{_number(plan.height / 2)} m", anchor="end")


def _door(canvas: Canvas, place: Callable[[float, float], Point], ends: Wall) -> None:
    """Draw a gap of 0.9 m in a wall, and the open leaf with its swing."""
    (x, y), (u, v) = ends
    middle = (x + DOOR_PLACE * (u - x), y + DOOR_PLACE * (v - y))
    along = (0.9, 0.0) if y == v else (0.0, 0.9)
    start = place(middle[0] - along[0], middle[1] - along[1])
    end = place(middle[0] + along[0], middle[1] + along[1])
    canvas.line([start, end], colour=canvas.look.paper, width=3.6 * canvas.style.stroke_px)
    leaf = place(middle[0] - along[0] + (along[1] * 2), middle[1] - along[1] - (along[0] * 2))
    radius = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    canvas.line([start, leaf], width=canvas.style.stroke_px)
    sweep = 1 if y == v else 0
    canvas.path(
        f"M{leaf[0]:.1f} {leaf[1]:.1f} A{radius:.1f} {radius:.1f} 0 0 {sweep} {end[0]:.1f} {end[1]:.1f}", width=0.9
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _questions(plan: Plan, language: str, random: Random, links: list[tuple[int, int]]) -> list[Question]:
    areas = [plan.area(k) for k in range(len(plan.names))]
    k = random.randrange(len(areas))
    a, b = random.sample(range(len(areas)), 2)
    unit = {"en": " m²", "zh": "平方米"}[language]
    i, j = random.choice(links)
    big, small = sorted((a, b), key=lambda n: -areas[n])
    degree = [sum(n in door for door in plan.doors) + (n == plan.entrance) for n in range(len(areas))]
    return [
        Question(name="count_rooms", slots={}, answer=str(len(areas)), options=("3", "4", "5", "6", "7", "8")),
        Question(name="area", slots={"room": plan.names[k]}, answer=_number(areas[k]) + unit,
                 options=tuple(_number(area) + unit for area in areas)),
        Question(name="largest", slots={}, answer=plan.names[areas.index(max(areas))], options=plan.names),
        Question(name="smallest", slots={}, answer=plan.names[areas.index(min(areas))], options=plan.names),
        Question(name="total", slots={}, answer=_number(sum(areas)) + unit),
        Question(name="difference", slots={"a": plan.names[big], "b": plan.names[small]},
                 answer=_number(areas[big] - areas[small]) + unit,
                 working=f"{_number(areas[big])} - {_number(areas[small])}"),
        Question(name="is_joined", slots={"a": plan.names[i], "b": plan.names[j]},
                 answer=YES[language][(i, j) in plan.doors]),
        Question(name="entrance", slots={}, answer=plan.names[plan.entrance], options=plan.names),
        Question(name="count_doors", slots={"room": plan.names[k]}, answer=str(degree[k]),
                 options=("1", "2", "3", "4", "5")),
    ]  # fmt: skip
