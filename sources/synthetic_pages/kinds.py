"""Kinds of pages: their components and layout."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of page.

    Args:
        main: components of the main part, top to bottom; names with `?` are optional.
        side: components of a side column.
        heading: heading of the main part in English and Chinese, or empty.
        title, description: in English and Chinese; {site} is replaced by the name of the site.
    """

    main: tuple[str, ...]
    side: tuple[str, ...] = ()
    title: tuple[str, str]
    description: tuple[str, str]
    heading: tuple[str, str] = ("", "")


KINDS: Mapping[str, Kind] = {
    "landing": Kind(
        main=("hero", "cards", "steps?", "quotes?", "pricing?"),
        title=("{site}: welcome", "{site}：欢迎"),
        description=("The start page of {site}, with what it offers.", "{site} 的首页，介绍其服务。"),
    ),
    "pricing": Kind(
        main=("pricing", "comparison?", "faq?", "quotes?"),
        title=("Pricing of {site}", "{site} 价格"),
        description=("The plans of {site} and their prices.", "{site} 的套餐与价格。"),
    ),
    "dashboard": Kind(
        main=("heading", "tiles", "trend?", "bars?", "table?", "activity?", "progress?"),
        side=("side",),
        title=("Dashboard of {site}", "{site} 控制台"),
        description=("A dashboard with figures, a chart and recent orders.", "包含指标、图表和最新订单的控制台。"),
        heading=("Overview", "概览"),
    ),
    "report": Kind(
        main=("heading", "tabs?", "bars?", "trend", "tiles?", "table", "progress?"),
        title=("Report of {site}", "{site} 报表"),
        description=("A report with figures by month.", "按月统计的报表。"),
        heading=("Reports", "报表"),
    ),
    "article": Kind(
        main=("path?", "article", "entries?"),
        title=("An article on {site}", "{site} 文章"),
        description=("An article with headings and paragraphs.", "带有标题和段落的文章。"),
    ),
    "blog": Kind(
        main=("article",),
        side=("contents?", "filters", "notice?"),
        title=("The blog of {site}", "{site} 博客"),
        description=("A blog post beside a list of categories.", "博客文章及分类列表。"),
    ),
    "news": Kind(
        main=("notice?", "entries", "gallery?", "pages?"),
        title=("News from {site}", "{site} 新闻"),
        description=("A list of news with dates and summaries.", "带日期和摘要的新闻列表。"),
    ),
    "shop": Kind(
        main=("path?", "heading?", "products", "pages?"),
        side=("checks",),
        title=("The shop of {site}", "{site} 商店"),
        description=("Products of a shop with pictures and prices.", "商店的商品、图片与价格。"),
        heading=("All products", "全部商品"),
    ),
    "catalogue": Kind(
        main=("notice?", "products", "quotes?", "faq?"),
        title=("The catalogue of {site}", "{site} 商品目录"),
        description=("A catalogue of products with prices.", "带价格的商品目录。"),
    ),
    "product": Kind(
        main=("path?", "product", "cards?", "faq?"),
        title=("A product of {site}", "{site} 商品"),
        description=("A product with its price, a description and buttons to buy it.", "商品的价格、介绍和购买按钮。"),
    ),
    "search": Kind(
        main=("results", "pages"),
        side=("filters",),
        title=("Search on {site}", "{site} 搜索"),
        description=("Results of a search, with filters beside them.", "搜索结果及筛选条件。"),
    ),
    "chat": Kind(
        main=("chat",),
        side=("side",),
        title=("Messages on {site}", "{site} 消息"),
        description=("A conversation between two people.", "两个人之间的对话。"),
    ),
    "settings": Kind(
        main=("heading", "tabs?", "form", "switches"),
        side=("side",),
        title=("Settings of {site}", "{site} 设置"),
        description=("Settings of an account, with fields and switches.", "账户设置，包含输入框和开关。"),
        heading=("Settings", "设置"),
    ),
    "contact": Kind(
        main=("form", "faq?", "cards?"),
        title=("Contact {site}", "联系 {site}"),
        description=("A form to write to {site}.", "给 {site} 留言的表单。"),
    ),
    "login": Kind(
        main=("login",),
        title=("Sign in to {site}", "登录 {site}"),
        description=("A form to sign in with email and password.", "用邮箱和密码登录的表单。"),
    ),
    "calendar": Kind(
        main=("month", "entries?"),
        title=("The calendar of {site}", "{site} 日历"),
        description=("A month with its events.", "一个月及其活动。"),
    ),
    "files": Kind(
        main=("path?", "files"),
        side=("side?",),
        title=("Files on {site}", "{site} 文件"),
        description=("A list of files with dates and sizes.", "带日期和大小的文件列表。"),
    ),
    "profile": Kind(
        main=("profile", "tabs?", "gallery", "activity?", "quotes?"),
        title=("A profile on {site}", "{site} 个人主页"),
        description=("The profile of a person with pictures.", "个人主页及图片。"),
    ),
    "gallery": Kind(
        main=("heading?", "gallery", "pages?", "cards?"),
        title=("Photos on {site}", "{site} 图库"),
        description=("Pictures with captions.", "带说明的图片。"),
        heading=("Pictures of the year", "年度图片"),
    ),
    "help": Kind(
        main=("path?", "faq", "form?", "steps?"),
        title=("Help for {site}", "{site} 帮助"),
        description=("Questions with answers.", "问题与解答。"),
    ),
}
