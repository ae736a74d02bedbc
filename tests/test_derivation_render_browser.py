"""The HTML in a headless Chromium: no request, nothing that axe finds, terms, slides, narrow, wide, light, dark."""

import time

import pytest

from derivation_fixture import ALL, rule
from rendering_engines import chromium
from softjac.derivation.render import render
from test_derivation_render_whole import whole

pytestmark = pytest.mark.browser

WIDTHS = (1200, 360)
SCHEMES = ("light", "dark")
WHOLE = ("123", "many")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Pages by name: the fixture, and the whole text as readers get it."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {name: render(whole(name), "html") for name in WHOLE}
    for name, page in (pages | {"fixture": render(ALL, "html", rule=rule)}).items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("fixture", *WHOLE)}


@pytest.fixture
def address(addresses):
    return addresses["fixture"]


@pytest.fixture
def open_page(browser, addresses):
    """Opens the page; every request but that for the page itself is recorded and stopped."""
    contexts = []

    def opened(*, width=1200, scheme="light", motion="no-preference", bypass_csp=False, name="fixture"):
        address = addresses[name]
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion=motion, bypass_csp=bypass_csp
        )
        contexts.append(context)
        page = context.new_page()
        page.requests, page.complaints = [], []

        def decide(route):
            if route.request.url == address:
                route.continue_()
            else:
                page.requests.append(route.request.url)
                route.abort()

        context.route("**/*", decide)
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.clock.install(time=0)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def stop_the_clock(page):
    """Time passes by run_for alone, however slow the machine."""
    page.clock.pause_at(3600)


def texts(page, selector):
    return page.eval_on_selector_all(selector, "elements => elements.map(element => element.textContent)")


# A paragraph that leads to a chain, a table or code is on the slides of it, not on one of its own.
STEPS = """[...document.querySelectorAll('.step')].filter(
    e => !(e.matches('p') && e.nextElementSibling?.matches('.chain, figure')))"""


def shown_steps(page):
    return page.evaluate(
        f"{STEPS}.map((e, k) => [e, k]).filter(([e]) => e.classList.contains('on')).map(([e, k]) => k)"
    )


def visible_steps(page):
    return page.evaluate(f"{STEPS}.filter(e => !e.matches('.before') && e.getClientRects().length > 0).length")


def test_no_request_leaves_the_page_and_nothing_complains(open_page):
    page = open_page()
    page.click("#present")
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_load_state("networkidle")
    assert page.requests == []
    assert page.complaints == []


def test_the_policy_stops_a_script_that_is_not_the_pages_own(open_page):
    page = open_page()
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.foreign = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.foreign") is None


@pytest.mark.parametrize(
    ("state", "width", "scheme"),
    [
        *(("page", width, scheme) for width in WIDTHS for scheme in SCHEMES),
        *((state, *at) for state in ("marked", "slide") for at in ((1200, "dark"), (360, "light"))),
    ],
)
def test_axe_finds_nothing(open_page, width, scheme, state):
    page = open_page(width=width, scheme=scheme, motion="reduce", bypass_csp=True)
    if state == "page":
        page.click("summary")  # the contents, with their links
    if state == "marked":
        page.locator(".chain").first.focus()
        page.keyboard.press("ArrowRight")
    if state == "slide":  # one that shows the line before
        page.click("#present")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
    assert_axe_finds_nothing(page)


def assert_axe_finds_nothing(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 10


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_whole_text_fits_and_asks_for_nothing(open_page, width, name):
    page = open_page(width=width, name=name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.requests == page.complaints == []


def test_axe_finds_nothing_in_the_whole_text(open_page):
    """Once, because it takes a quarter of a minute: widths and colours are those of the fixture."""
    assert_axe_finds_nothing(open_page(width=360, scheme="dark", bypass_csp=True, name="123"))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways_and_wide_boxes_do(open_page, width):
    page = open_page(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    scrolling = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => [e.tabIndex, e.getAttribute('role'), e.getAttribute('aria-label')])"
    )
    assert scrolling
    assert all(box == [0, "group", "Wide formula, scrolls sideways"] for box in scrolling)
    page.click("#present")
    for _ in range(25):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_box_that_scrolls_is_scrolled_by_the_keyboard(open_page):
    page = open_page(width=360)
    box = page.locator(".expression[tabindex='0']").last
    box.focus()
    page.keyboard.press("ArrowRight")
    for _ in range(100):
        page.clock.run_for(20)
        if box.evaluate("box => box.scrollLeft") > 0:
            break
        time.sleep(0.02)
    assert box.evaluate("box => box.scrollLeft") > 0


def marked(page):
    return page.evaluate("[...document.querySelectorAll('.marked')].map(e => e.dataset.term)")


def test_the_pointer_marks_a_term_everywhere_by_more_than_colour(open_page):
    page = open_page()
    everywhere = page.evaluate("document.querySelectorAll('[data-term=\"p[2]\"]').length")
    page.locator(".chain [data-term='p[2]']").first.hover()
    assert marked(page) == ["p[2]"] * everywhere
    assert everywhere > 5
    outline = page.eval_on_selector(
        ".marked", "e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]"
    )
    assert outline == ["solid", "2px"]
    page.locator("h1").hover()
    assert marked(page) == []


def test_a_touched_term_stays_marked_until_it_is_touched_again(open_page):
    page = open_page()
    term = page.locator(".chain [data-term='p[2]']").first
    term.click()
    page.locator("h1").hover()
    assert set(marked(page)) == {"p[2]"}
    term.click()
    page.locator("h1").hover()
    assert marked(page) == []


def test_the_keyboard_walks_through_the_terms_of_a_chain(open_page):
    page = open_page()
    page.locator(".chain").first.focus()
    walked = []
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        walked.append(page.evaluate("document.activeElement.dataset.term"))
        assert set(marked(page)) == {walked[-1]}
    assert walked == ["log p[0]", "p[0]", "z[0]", "log S"]
    assert texts(page, "#said")[0].startswith("log S: ")
    page.keyboard.press("ArrowLeft")
    assert set(marked(page)) == {"z[0]"}
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "chain"
    assert marked(page) == []


def test_the_tabulator_stops_once_at_each_group(open_page):
    page = open_page()
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.className || document.activeElement.tagName")
        if name == "BODY":
            break
        stops.append(name)
    assert stops.count("chain") == page.evaluate("document.querySelectorAll('.chain').length") == 5
    assert len(stops) < 14
    assert stops[0] == "skip"


def test_slides_show_one_step_and_follow_the_arrow_keys(open_page):
    page = open_page()
    count = page.evaluate(f"{STEPS}.length")
    page.click("#present")
    assert shown_steps(page) == [0]
    assert texts(page, "#where") == [f"Step 1 of {count}"]
    for step in range(1, count):
        page.keyboard.press("ArrowRight")
        assert shown_steps(page) == [step]
        assert visible_steps(page) == 1
    page.keyboard.press("ArrowRight")
    assert shown_steps(page) == [count - 1]
    page.keyboard.press("ArrowLeft")
    assert shown_steps(page) == [count - 2]
    page.keyboard.press("Home")
    assert shown_steps(page) == [0]
    page.keyboard.press("Escape")
    assert visible_steps(page) == count
    assert page.evaluate("document.activeElement.id") == "present"


def test_a_slide_repeats_the_goal_and_shows_what_continues(open_page):
    page = open_page()
    page.click("#present")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    goals = page.evaluate(
        "[...document.querySelectorAll('.line.before .goal, .line.on .goal')].map(e => e.textContent)"
    )
    assert goals[0].startswith("∂")
    assert goals[1] == ""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    continued = "[...document.querySelectorAll('.line.on .continues')].map(e => [e.dataset.term, e.textContent])"
    assert page.evaluate(continued) == [["p[0]", "0.0900"]]  # the number continues the symbol
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    assert page.evaluate("document.querySelectorAll('.again, .continues, .before, .on').length") == 0


def test_a_leading_paragraph_is_shown_with_what_it_leads_to(open_page):
    page = open_page()
    page.click("#present")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    led = page.evaluate(
        "[...document.querySelectorAll('main > p')].filter(e => e.nextElementSibling?.matches('figure')).length"
    )
    assert led > 0
    seen = 0
    for _ in range(40):
        lead = page.evaluate("[...document.querySelectorAll('.lead')].map(e => e.getClientRects().length > 0)")
        assert lead in ([], [True])
        seen += len(lead)
        page.keyboard.press("ArrowRight")
    assert seen >= led


def test_slides_wait_until_play_and_then_take_three_seconds(open_page):
    page = open_page()
    stop_the_clock(page)
    page.click("#present")
    page.clock.run_for(20_000)
    assert shown_steps(page) == [0]
    assert texts(page, "#state") == ["paused"]
    page.click("#play")
    assert texts(page, "#play") == ["Pause"]
    page.clock.run_for(2_900)
    assert shown_steps(page) == [0]
    page.clock.run_for(200)
    assert shown_steps(page) == [1]
    page.clock.run_for(3_000)
    assert shown_steps(page) == [2]
    page.click("#play")
    page.clock.run_for(10_000)
    assert shown_steps(page) == [2]
    assert page.is_visible("#play")


def test_a_step_by_hand_pauses(open_page):
    page = open_page()
    stop_the_clock(page)
    page.click("#present")
    page.click("#play")
    page.keyboard.press("ArrowRight")
    page.clock.run_for(10_000)
    assert shown_steps(page) == [1]
    assert texts(page, "#state") == ["paused"]


def test_nothing_moves_by_itself_where_less_motion_is_asked_for(open_page):
    page = open_page(motion="reduce")
    stop_the_clock(page)
    page.click("#present")
    assert not page.is_visible("#play")
    assert "less motion" in texts(page, "#state")[0]
    page.keyboard.press("ArrowRight")
    animation = "e => getComputedStyle(e).animationName"
    assert page.eval_on_selector(".step.on", animation) == "none"
    page.clock.run_for(20_000)
    assert shown_steps(page) == [1]
    moving = open_page()
    moving.click("#present")
    assert moving.eval_on_selector(".step.on", animation) == "appear"


def test_without_scripts_the_page_can_be_read(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.is_visible("h1")
    assert not page.is_visible("#present")
    assert not page.is_visible("#deck")
    context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_light_and_dark_follow_the_system(open_page, scheme):
    page = open_page(scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 24, 28)"}[scheme]
