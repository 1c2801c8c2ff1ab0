"""The lesson in Chromium: a chapter without scripts, and what scripts spare."""

import re

from playwright.sync_api import Page, expect


def test_a_chapter_is_taken_without_scripts(plain_page: Page) -> None:
    page = plain_page
    page.goto("/learn")
    page.get_by_role("link", name="Buffers").click()
    page.get_by_role("button", name="Open a tree for this chapter").click()
    expect(page.get_by_text("Make the call first")).to_be_visible()

    page.get_by_role("button", name="Run").click()
    expect(page.locator(".learn-lines")).to_have_text("tensor([4])")
    expect(page.locator(".learn-tree .tree-tensor", has_text="buf")).to_contain_text("int64")
    page.get_by_label("Which dtype does buf have?").fill("float32")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-said")).to_contain_text("Not yet. That is what torch.tensor([4.]) would have.")
    page.get_by_label("Which dtype does buf have?").fill("int64")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-said")).to_contain_text("Right. int64")
    expect(page.locator(".learn-lines")).to_have_text("tensor([4])")

    for label in ("Three ways to look", "Saved, or not"):
        page.locator(".learn-turn").get_by_role("link", name=label).click()
        page.get_by_role("button", name="Run").click()
        expect(page.locator(".learn-lines")).to_be_visible()
    page.get_by_label("As a buffer with persistent=False").check()
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".learn-said")).to_contain_text("Right.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".learn-tree")).not_to_contain_text("cache")

    page.goto("/learn")
    expect(page.locator(".learn-card", has_text="Buffers")).to_contain_text("2 of 4 answered")
    page.get_by_role("link", name="Training").click()
    page.get_by_role("link", name="3 Ten epochs").click()
    page.get_by_role("button", name="Open a tree for this chapter").click()
    page.get_by_role("button", name="Train 10 epochs").click()
    while page.get_by_role("link", name="Refresh").is_visible():
        page.get_by_role("link", name="Refresh").click()
    expect(page.locator(".learn-lines")).to_contain_text("epoch 9: 0.027")


def test_with_scripts_a_step_stays_where_it_is_and_a_runs_end_needs_no_reload(page: Page) -> None:
    page.goto("/learn/modules")
    page.get_by_role("button", name="Open a tree for this chapter").click()
    page.wait_for_url("**step=1")
    page.evaluate("window.stayed = true")

    run = page.get_by_role("button", name="Run")
    run.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".learn-lines")).to_contain_text("(sub2_1): LinearModel()")
    expect(page.locator(".learn-tree .tree-name", has_text=re.compile("^sub2_1$"))).to_be_visible()
    expect(run).to_be_focused()
    asked = page.get_by_label("How many modules will model.modules() yield?")
    asked.fill("2")
    asked.press("Enter")
    expect(page.get_by_role("status").filter(has_text="yields the root first")).to_be_visible()
    asked.fill("3")
    asked.press("Enter")
    expect(page.locator(".learn-said")).to_contain_text("Right. 3.")
    expect(page.get_by_role("link", name="1 Assignment builds the tree, answered")).to_be_visible()
    assert re.search(r"step=1&ran=1&answer=3$", page.url)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Make the call first")).to_be_visible()
    expect(run).to_be_focused()
    assert page.evaluate("window.stayed")

    page.goto("/learn/training?step=3")
    page.get_by_role("button", name="Open a tree for this chapter").click()
    page.get_by_role("button", name="Train 10 epochs").click()
    expect(page.locator(".learn-run")).to_contain_text("succeeded")
    expect(page.locator(".learn-lines")).to_contain_text("epoch 9: 0.027")
    expect(page.locator(".learn-tree .tree-tensor", has_text="weight").first).to_contain_text("2.0484")
    expect(page.get_by_label("Which slope has the model learned?")).to_be_visible()
    page.go_back()
    page.go_forward()
    expect(page.locator(".learn-lines")).to_contain_text("epoch 9: 0.027")
