"""Sequence diagrams: messages between participants in order, with their Mermaid source."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from sources.charts.graphs import escape_mermaid
from sources.charts.questions.question import Question
from sources.diagrams.canvas import PAD, Canvas
from sources.diagrams.diagram import Diagram, pick
from sources.diagrams.style import DiagramStyle

Pair = tuple[str, str]
# A call: its text, who receives it (index in the cast) and the text of the reply.
Call = tuple[Pair, int, Pair]
SCENES: tuple[tuple[Pair, tuple[Pair, ...], tuple[Call, ...]], ...] = (
    (
        ("Ordering", "下单流程"),
        (("Customer", "顾客"), ("Shop", "商店"), ("Payment", "支付服务"), ("Warehouse", "仓库"), ("Courier", "快递")),
        (
            (("place order", "提交订单"), 1, ("order number", "订单号")),
            (("ask for discount", "询问折扣"), 1, ("new price", "新价格")),
            (("request payment", "请求付款"), 2, ("payment accepted", "付款成功")),
            (("refund", "退款"), 2, ("refund done", "退款完成")),
            (("check stock", "查询库存"), 3, ("in stock", "有货")),
            (("pack goods", "打包商品"), 3, ("packed", "已打包")),
            (("book delivery", "预约配送"), 4, ("delivery date", "送达日期")),
            (("send address", "发送地址"), 4, ("address known", "地址确认")),
            (("send invoice", "发送发票"), 0, ("invoice received", "发票已收")),
        ),
    ),
    (
        ("Logging in", "登录流程"),
        (
            ("Browser", "浏览器"),
            ("Server", "服务器"),
            ("Database", "数据库"),
            ("Mailer", "邮件服务"),
            ("Cache", "缓存"),
        ),
        (
            (("send password", "发送密码"), 1, ("token", "令牌")),
            (("send code", "提交验证码"), 1, ("code accepted", "验证通过")),
            (("look up user", "查询用户"), 2, ("user record", "用户记录")),
            (("store session", "保存会话"), 2, ("stored", "已保存")),
            (("mail the code", "邮寄验证码"), 3, ("mail sent", "邮件已发")),
            (("load profile", "加载资料"), 4, ("profile", "资料")),
            (("clear entry", "清除条目"), 4, ("cleared", "已清除")),
            (("show form", "显示表单"), 0, ("form shown", "表单已显示")),
        ),
    ),
    (
        ("Borrowing a book", "借书流程"),
        (("Reader", "读者"), ("Desk", "服务台"), ("Catalogue", "目录"), ("Store room", "书库"), ("Printer", "打印机")),
        (
            (("ask for book", "询问图书"), 1, ("book handed over", "交付图书")),
            (("extend loan", "续借"), 1, ("due date", "到期日")),
            (("search title", "检索书名"), 2, ("shelf mark", "索书号")),
            (("reserve title", "预约书目"), 2, ("reserved", "已预约")),
            (("fetch book", "取书"), 3, ("book", "图书")),
            (("return book", "还书"), 3, ("book shelved", "已上架")),
            (("print receipt", "打印凭条"), 4, ("receipt", "凭条")),
            (("ask for card", "要求出示证件"), 0, ("card", "借书证")),
        ),
    ),
    (
        ("Measuring", "测量流程"),
        (
            ("Operator", "操作员"),
            ("Controller", "控制器"),
            ("Sensor", "传感器"),
            ("Pump", "水泵"),
            ("Recorder", "记录仪"),
        ),
        (
            (("start run", "开始运行"), 1, ("ready", "就绪")),
            (("stop run", "停止运行"), 1, ("stopped", "已停止")),
            (("read pressure", "读取压力"), 2, ("pressure", "压力值")),
            (("calibrate", "校准"), 2, ("calibrated", "已校准")),
            (("set speed", "设置转速"), 3, ("speed reached", "转速已达")),
            (("open valve", "打开阀门"), 3, ("valve open", "阀门已开")),
            (("save values", "保存数值"), 4, ("values saved", "数值已保存")),
            (("make report", "生成报告"), 4, ("report", "报告")),
            (("confirm", "请求确认"), 0, ("confirmed", "已确认")),
        ),
    ),
)
INTRO = {
    "en": "The sequence diagram “{title}” has {count} participants: {names}.",
    "zh": "时序图“{title}”有{count}个参与者：{names}。",
}
STEP = {"en": " {k}. {a} sends “{text}” to {b}.", "zh": "{k}. {a}向{b}发送“{text}”。"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message: indices of sender and receiver, its text, and True if it is a dashed reply."""

    sender: int
    receiver: int
    text: str
    reply: bool


def sequence(language: str, style: DiagramStyle, random: Random) -> Diagram:
    """Make a diagram of three to five participants and five to nine messages."""
    k = language == "zh"
    scene, cast, calls = random.choice(SCENES)
    chosen = random.sample(range(len(cast)), random.randint(3, 5))
    names = tuple(cast[member][k] for member in chosen)
    left = [call for call in random.sample(calls, len(calls)) if call[1] in chosen]
    messages: list[Message] = []
    at = 0
    count = random.randint(5, 9)
    while len(messages) < count:
        call = next((call for call in left if chosen.index(call[1]) != at), None)
        if call is None:
            break
        left.remove(call)
        receiver = chosen.index(call[1])
        messages.append(Message(at, receiver, call[0][k], False))
        if random.random() < 0.5:
            messages.append(Message(receiver, at, call[2][k], True))
        else:
            at = receiver
    title = scene[k]
    canvas = Canvas(style, title)
    _draw(canvas, names, messages)
    comma = {"en": ", ", "zh": "、"}[language]
    description = pick(INTRO, language, title=title, count=len(names), names=comma.join(names)) + "".join(
        pick(STEP, language, k=n + 1, a=names[m.sender], b=names[m.receiver], text=m.text)
        for n, m in enumerate(messages)
    )
    return Diagram(
        kind="sequence", language=language, title=title, canvas=canvas, data=("mermaid", _mermaid(names, messages)),
        description=description, questions=tuple(_questions(names, messages, random)),
    )  # fmt: skip


def _mermaid(names: tuple[str, ...], messages: list[Message]) -> str:
    lines = ["sequenceDiagram"]
    lines += [f"    participant P{k} as {escape_mermaid(name)}" for k, name in enumerate(names)]
    for message in messages:
        arrow = "-->>" if message.reply else "->>"
        lines.append(f"    P{message.sender}{arrow}P{message.receiver}: {escape_mermaid(message.text)}")
    return "\n".join(lines)


def _draw(canvas: Canvas, names: tuple[str, ...], messages: list[Message]) -> None:
    font = canvas.style.font_px
    half = max(canvas.measure(name) for name in names) / 2 + 0.7 * font
    left, right = PAD + half, canvas.width - PAD - half
    places = [left + k * (right - left) / (len(names) - 1) for k in range(len(names))]
    top = canvas.top + 0.6 * font
    height = 2.2 * font
    step = min(3.4 * font, (canvas.height - PAD - top - height - 0.5 * font) / (len(messages) + 0.6))
    bottom = top + height + step * (len(messages) + 0.6)
    for k, (x, name) in enumerate(zip(places, names, strict=True)):
        canvas.line([(x, top + height), (x, bottom)], dash="5 5", width=1.1)
        canvas.rect((x - half, top), (2 * half, height), fill=canvas.look.fills[k], radius=4)
        canvas.text((x, top + height / 2), name, bold=True, role="cell")
    for k, message in enumerate(messages):
        y = top + height + step * (k + 1)
        start, end = places[message.sender], places[message.receiver]
        sign = 1 if end > start else -1
        if message.reply:
            canvas.line([(start, y), (end - sign * 9, y)], dash="6 4", width=1.4)
            canvas.arrow((end - sign * 10, y), (end - sign, y), width=1.4)
        else:
            canvas.arrow((start, y), (end - sign, y), width=1.6)
        middle = (start + end) / 2
        if abs(message.receiver - message.sender) % 2 == 0:  # keep clear of the life line in the middle
            middle = start + sign * (places[1] - places[0]) / 2
        canvas.text((middle, y - 0.75 * font), message.text, halo=True, size=0.95 * font)


def _questions(names: tuple[str, ...], messages: list[Message], random: Random) -> list[Question]:
    k = random.randrange(len(messages) - 1)
    message = random.choice(messages)
    who = random.randrange(len(names))
    texts = tuple(m.text for m in messages)
    counts: Mapping[str, int] = {
        "sent": sum(m.sender == who for m in messages), "received": sum(m.receiver == who for m in messages),
    }  # fmt: skip
    numbers = tuple(str(n) for n in range(6))
    return [
        Question(name="count_participants", slots={}, answer=str(len(names)), options=("2", "3", "4", "5", "6")),
        Question(name="count_messages", slots={}, answer=str(len(messages)),
                 options=tuple(str(len(messages) + n) for n in (-2, -1, 1, 2))),
        Question(name="sender", slots={"text": message.text}, answer=names[message.sender], options=names),
        Question(name="receiver", slots={"text": message.text}, answer=names[message.receiver], options=names),
        Question(name="next_message", slots={"text": messages[k].text}, answer=messages[k + 1].text, options=texts),
        Question(name="first_message", slots={}, answer=messages[0].text, options=texts),
        Question(name="count_sent", slots={"who": names[who]}, answer=str(counts["sent"]), options=numbers),
        Question(name="count_received", slots={"who": names[who]}, answer=str(counts["received"]), options=numbers),
        Question(name="count_replies", slots={}, answer=str(sum(m.reply for m in messages)), options=numbers),
    ]  # fmt: skip
