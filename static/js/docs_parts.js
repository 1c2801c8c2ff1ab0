// Swagger UI's parts where they leave out who reads by ear or goes by key: what they draw otherwise stays as it is.

import { _ } from "./lib/words.js";

/** @typedef {Record<string, any>} Props */
/** @typedef {(props: Props) => unknown} Component */
/** @typedef {{ get: (name: string) => string | undefined } | undefined} TagDetails */
/** @typedef {{ React: any, specSelectors: { tagDetails: (tag: string) => TagDetails } }} System */

/**
 * The whole: the heading is the page's own, and so is the landmark.
 *
 * @param {System} system
 * @returns {Component}
 */
function layout({ React: { createElement: h } }) {
  return ({ getComponent, specSelectors }) => {
    const status = specSelectors.loadingStatus();
    const part = (/** @type {string} */ name) => h(getComponent(name, true), { key: name });
    if (status === "failed") {
      const words = _("The document of the API could not be loaded.");
      return h("p", { className: "notice notice-bad", role: "alert" }, words);
    }
    if (status !== "success") return h("p", { className: "empty" }, _("Loading…"));
    const info = specSelectors.info();
    return h("div", { className: "swagger-ui" }, [
      part("errors"),
      h("div", { key: "head", className: "docs-line" }, [
        h("h2", { key: "name", className: "docs-name" }, `${info.get("title")} ${info.get("version")}`),
        part("AuthorizeBtnContainer"),
      ]),
      part("operations"),
      part("Models"),
    ]);
  };
}

/**
 * The heading of a tag says what the tag is called in the page's language; links to it go by its name.
 *
 * @param {Component} Original
 * @param {System} system
 * @returns {Component}
 */
function DeepLink(Original, { React, specSelectors }) {
  return (props) => {
    const text = specSelectors.tagDetails(props.text)?.get("x-displayName") ?? props.text;
    return React.createElement(Original, { ...props, text });
  };
}

/**
 * The path stands in the button that opens its operation: a link in there is one too many. The address follows anyway.
 *
 * @param {Component} Original
 * @param {System} system
 * @returns {Component}
 */
function OperationSummaryPath(Original, { React: { createElement: h } }) {
  /** @type {Component} */
  const Path = ({ text }) => h("span", null, text);
  return (props) => h(Original, { ...props, getComponent: () => Path });
}

/**
 * As every other button that copies on our pages: it tells that it has.
 *
 * @param {Component} _Original
 * @param {System} system
 * @returns {Component}
 */
function CopyToClipboardBtn(_Original, { React: { createElement: h } }) {
  return ({ textToCopy }) => {
    const words = _("Copy path to clipboard");
    const button = h("button", { type: "button", "data-copy": textToCopy, "aria-label": words, title: words });
    return h("div", { className: "copy-to-clipboard" }, button);
  };
}

/**
 * A button is called what stands on it.
 *
 * @param {Component} Original
 * @param {System} system
 * @returns {Component}
 */
function Button(Original, { React }) {
  return ({ "aria-label": _label, ...props }) => React.createElement(Original, props);
}

/**
 * Long code scrolls in its box, by keys too.
 *
 * @param {Component} _Original
 * @param {System} system
 * @returns {Component}
 */
function PlainTextViewer(_Original, { React }) {
  return ({ className = "", children }) =>
    React.createElement("pre", { className: `microlight ${className}`, tabIndex: 0 }, children);
}

/**
 * Says of what a part has drawn what it leaves out, where that is made too deep inside to be handed it.
 *
 * @param {(box: HTMLElement, props: Props) => void} say
 */
const told =
  (say) =>
  /**
   * @param {Component} Original
   * @param {System} system
   * @returns {Component}
   */
  (Original, { React }) =>
  (props) => {
    const box = React.useRef(null);
    React.useLayoutEffect(() => say(box.current, props));
    return React.createElement("div", { ref: box }, React.createElement(Original, props));
  };

/** @param {(props: Props) => string} nameOf its fields */
const named = (nameOf) =>
  told((box, props) => {
    const fields = box.querySelectorAll("input:not([type=checkbox]), select, textarea");
    for (const field of fields) field.setAttribute("aria-label", nameOf(props));
    for (const button of box.querySelectorAll(".json-schema-form-item-remove")) button.setAttribute("aria-label", _("Remove"));
  });

/**
 * A list of files is chosen as one file is.
 *
 * @param {Component} Original
 * @param {System} system
 * @returns {Component}
 */
function JsonSchemaForm(Original, system) {
  const Named = named((props) => props.description ?? "")(Original, system);
  return (props) => {
    const { schema } = props;
    if (!schema?.getIn(["items", "contentMediaType"])) return system.React.createElement(Named, props);
    const files = { schema: schema.setIn(["items", "format"], "binary"), dispatchInitialValue: undefined };
    return system.React.createElement(Named, { ...props, ...files });
  };
}

/** The table of the answers is a table, not a landmark without a name. */
const responses = told((box) => box.querySelector("table[role=region]")?.removeAttribute("role"));

/**
 * The token is asked for in a dialog that keeps the focus and gives it back.
 *
 * @param {Component} Original
 * @param {System} system
 * @returns {Component}
 */
function authorizationPopup(Original, { React: { createElement: h, ...React } }) {
  return (props) => {
    const dialog = React.useRef(null);
    React.useLayoutEffect(() => {
      const shown = dialog.current;
      shown.showModal();
      return () => shown.close();
    }, []);
    const close = () => props.authActions.showDefinitions(false);
    const onClick = (/** @type {MouseEvent} */ event) => event.target === dialog.current && close();
    const options = { ref: dialog, className: "dialog docs-dialog", "aria-label": _("Set the token"), onCancel: close, onClick };
    return h("dialog", options, h(Original, props));
  };
}

/** @param {System} system */
export const parts = (system) => ({
  // The second is looked for, and never drawn: a file is chosen in its place.
  components: { DocsLayout: layout(system), JsonSchema_string_binary: () => null },
  wrapComponents: {
    Button,
    CopyToClipboardBtn,
    DeepLink,
    JsonSchemaForm,
    OperationSummaryPath,
    PlainTextViewer,
    responses,
    authorizationPopup,
    RequestBodyEditor: named(() => _("Request body")),
    ExamplesSelect: named(() => _("Examples")),
  },
});
