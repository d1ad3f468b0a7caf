/// The templates that messages are made with unless the user gives their own.
///
/// One for each kind of message (`alert`, `summary`, `notice`) and format: `subject` (an email's, and a chart's or page's title), `text`, `html`,
/// `slack` (mrkdwn), `line` (one line: an SMS, PagerDuty's summary) and, of an alert, `reply` (what Slack's thread gets). A `digest` comes rendered, with its figures
/// beside it: its templates may put words around it, or write one of their own.
enum BuiltInTemplates {
  static let all: [String: String] = [
    "digest.subject": "{{subject}}", "digest.text": "{{{text}}}", "digest.html": "{{{html}}}",
    "digest.slack": "{{{slack}}}", "digest.line": "{{label}} {{headline}} · {{id}}",
    "notice.subject": "{{headline}}", "notice.line": "{{label}} {{headline}} · {{id}}", "notice.text": "{{lead}}\n",
    "notice.slack": "{{lead}}",
    "notice.html": page("<p class=\"lead\" style=\"margin:0;font-size:15px;line-height:1.5\">{{lead}}</p>"),
    "alert.reply": "{{mark}} {{label}}: {{headline}}\n{{lead}}",
    "alert.subject": "[{{label}}] {{headline}} · {{id}}",
    "alert.line": "{{label}} {{headline}} · {{id}}",
    "alert.text": """
    {{label}}: {{headline}}

    {{lead}}

    {{#rows}}
    {{name}}: {{value}}
    {{/rows}}
    {{#runbook}}

    Runbook: {{runbook}}
    {{/runbook}}
    {{#link}}

    Open in Tocsin: {{link}}
    {{/link}}
    {{#acknowledge_link}}
    Acknowledge: {{acknowledge_link}}
    {{/acknowledge_link}}
    {{#how}}
    Or acknowledge from a shell: {{how}}
    {{/how}}

    """,
    "alert.slack": """
    {{lead}}
    {{#rows}}
    *{{name}}:* {{value}}
    {{/rows}}
    {{#runbook}}
    <{{runbook}}|Runbook>
    {{/runbook}}
    {{#how}}
    Or from a shell: `{{how}}`
    {{/how}}
    """,
    "alert.html": page(
      """
      <p class="lead" style="margin:0 0 16px;font-size:15px;line-height:1.5">{{lead}}</p>
      {{{chart}}}
      """,
      details: """
        <table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;border-collapse:collapse;font-size:14px;margin:12px 0 0">
        {{#rows}}
        <tr><th class="rule" scope="row" style="text-align:left;vertical-align:top;padding:6px 12px 6px 0;\
        font-weight:600;white-space:nowrap;border-bottom:1px solid #d0d7de">{{name}}</th>\
        <td class="rule" style="padding:6px 0;border-bottom:1px solid #d0d7de;overflow-wrap:anywhere">{{value}}</td></tr>
        {{/rows}}
        </table>
        """),
    "summary.subject": "[{{label}}] {{headline}} · {{id}}",
    "summary.line":
      "{{label}} {{headline}}{{#members}} · {{headline}} ({{id}}){{/members}}{{#has_more}} · and {{more}} more{{/has_more}}",
    "summary.text": """
    {{label}}: {{headline}}

    {{lead}}

    {{#members}}
    - {{label}} {{id}}: {{headline}} ({{subject}}; {{state}})
    {{#link}}
      {{link}}
    {{/link}}
    {{/members}}
    {{#has_more}}
    ... and {{more}} more.
    {{/has_more}}
    {{#link}}

    Open in Tocsin: {{link}}
    {{/link}}
    {{#how}}
    Or from a shell: {{how}}
    {{/how}}

    """,
    "summary.slack": """
    {{lead}}
    {{#members}}
    • *{{label}}* {{#link}}<{{link}}|{{id}}>{{/link}}{{^link}}{{id}}{{/link}}: {{headline}} ({{subject}}; {{state}})
    {{/members}}
    {{#has_more}}
    … and {{more}} more.
    {{/has_more}}
    {{#how}}
    Or from a shell: `{{how}}`
    {{/how}}
    """,
    "summary.html": page(
      """
      <p class="lead" style="margin:0 0 16px;font-size:15px;line-height:1.5">{{lead}}</p>
      {{#members}}
      <p class="rule" style="margin:0;padding:8px 0;border-bottom:1px solid #d0d7de;font-size:14px;line-height:1.5;\
      overflow-wrap:anywhere"><strong>{{label}}</strong> {{#link}}<a class="plain" href="{{link}}" style="color:#0550ae">{{id}}</a>{{/link}}\
      {{^link}}{{id}}{{/link}} {{headline}}<br><span style="font-size:13px">{{subject}}; {{state}}</span></p>
      {{/members}}
      {{#has_more}}<p style="font-size:14px">… and {{more}} more.</p>{{/has_more}}
      """),
  ]

  /// The frame of every HTML mail: one column of at most 600 pixels, its style inline because mail programs drop the rest. What can be done stands above the
  /// details, so that a phone shows it without scrolling.
  private static func page(_ body: String, details: String = "") -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
    <meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
    <title>{{headline}}</title>
    <style>@media (prefers-color-scheme:dark){.sheet{background:#161b22!important;color:#e6edf3!important}\
    .rule{border-color:#30363d!important}.back{background:#0d1117!important}a.plain{color:#79c0ff!important}}</style></head>
    <body class="back" style="margin:0;padding:0;background:#f6f8fa">
    <div class="back" style="background:#f6f8fa;padding:16px 8px">
    <div class="sheet" style="max-width:600px;margin:0 auto;background:#ffffff;color:#1f2328;\
    font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;border-radius:6px;overflow:hidden">
    <div style="background:{{color}};color:#ffffff;padding:14px 20px;font-size:13px;font-weight:700;letter-spacing:.06em">\
    {{label}} · {{id}}</div>
    <div style="padding:20px">
    <h1 style="margin:0 0 10px;font-size:20px;line-height:1.3;overflow-wrap:anywhere">{{headline}}</h1>
    \(body)
    <p style="margin:16px 0 0">
    {{#acknowledge_link}}<a href="{{acknowledge_link}}" style="display:inline-block;background:#0550ae;color:#ffffff;\
    text-decoration:none;padding:10px 18px;border-radius:6px;font-weight:600;margin:0 8px 8px 0">Acknowledge</a>{{/acknowledge_link}}
    {{#link}}<a href="{{link}}" style="display:inline-block;background:#57606a;color:#ffffff;text-decoration:none;\
    padding:10px 18px;border-radius:6px;font-weight:600;margin:0 8px 8px 0">Open in Tocsin</a>{{/link}}
    {{#runbook}}<a class="plain" href="{{runbook}}" style="display:inline-block;padding:10px 0;color:#0550ae">Runbook</a>{{/runbook}}
    </p>
    \(details)
    {{#how}}<p style="margin:12px 0 0;font-size:13px">From a shell: <code>{{how}}</code></p>{{/how}}
    </div></div></div></body></html>

    """
  }
}
