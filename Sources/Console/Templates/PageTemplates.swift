let digestTemplate = """
  <div class="head"><h1>{{subject}}</h1></div>
  <form class="filters" method="get" action="/digest">
  <select name="period" aria-label="Period">{{#periods}}<option value="{{value}}"{{#on}} selected{{/on}}>{{name}}</option>{{/periods}}</select>
  <label>ending <input type="date" name="ending" value="{{ending}}"></label>
  <button>Show</button>
  <span class="spacer"></span>
  {{#earlier}}<a href="{{earlier}}">Earlier</a>{{/earlier}} {{#later}}<a href="{{later}}">Later</a>{{/later}}
  <a href="{{textHref}}">Text</a> <a href="{{markdownHref}}">Markdown</a> <a href="{{jsonHref}}">JSON</a>
  </form>
  <iframe class="sheet" sandbox title="{{subject}}" src="{{htmlHref}}"></iframe>
  """

let outboxTemplate = """
  <div class="head"><h1>Outbox</h1><p class="quiet">{{lead}}</p></div>
  <div id="outbox" data-region>
  {{#any}}
  <ul class="messages">
  {{#messages}}<li><a href="{{href}}"><span class="channel channel-{{channel}}">{{channel}}</span><span class="m-title">{{title}}</span><span class="sub">{{to}} · <time datetime="{{at}}">{{local}}</time></span></a></li>{{/messages}}
  </ul>
  {{/any}}
  {{^any}}<p class="empty">{{emptyText}}</p>{{/any}}
  <p class="pager"><span class="quiet">{{shown}}</span>{{#nextPage}}<a href="{{nextPage}}">Older</a>{{/nextPage}}</p>
  </div>
  """

let messageTemplate = """
  <p class="crumbs"><a href="/outbox">Outbox</a> <span aria-hidden="true">/</span> {{channel}}</p>
  <div class="head"><h1>{{title}}</h1></div>
  <dl class="facts envelope">{{#envelope}}<dt>{{name}}</dt><dd>{{value}}</dd>{{/envelope}}</dl>
  {{#html}}<iframe class="sheet" sandbox title="The mail as its reader sees it" src="{{html}}"></iframe>{{/html}}
  {{#cards}}<section class="preview preview-{{kind}}" aria-label="{{label}}">{{{body}}}</section>{{/cards}}
  {{#text}}<details{{^html}} open{{/html}}><summary>Text part</summary><pre tabindex="0">{{text}}</pre></details>{{/text}}
  <details><summary>The file as it is</summary><pre tabindex="0">{{raw}}</pre></details>
  """

let silencesTemplate = """
  <div class="head"><h1>Silences</h1><p class="quiet">Nobody is told of an alert while a silence matches it. What still fires when it ends starts its policy then.</p></div>
  <div id="silences" data-region>
  {{#any}}
  <table class="plain"><caption class="sr">Silences</caption><thead><tr><th scope="col">Silence</th><th scope="col">Matches</th><th scope="col">Until</th><th scope="col">By</th><th scope="col"><span class="sr">Actions</span></th></tr></thead><tbody>
  {{#silences}}<tr><td><span class="id">{{id}}</span> <span class="state state-{{state}}">{{state}}</span></td><td>{{#matchers}}<code>{{.}}</code> {{/matchers}}</td><td>{{until}}{{#starts}}<span class="sub">from {{starts}}</span>{{/starts}}</td><td>{{by}}{{#comment}}<span class="sub">{{comment}}</span>{{/comment}}</td><td>{{#canExpire}}<form method="post" action="/silences/{{id}}/expire"><input type="hidden" name="token" value="{{token}}">{{#known}}<input type="hidden" name="by" value="{{you}}">{{/known}}{{^known}}<input name="by" required maxlength="80" placeholder="your name" aria-label="Your name" size="9"> {{/known}}<button>End now</button></form>{{/canExpire}}</td></tr>{{/silences}}
  </tbody></table>
  {{/any}}
  {{^any}}<p class="empty">No silence is in force.</p>{{/any}}
  {{#anyWindows}}<section class="card" aria-labelledby="windows-h"><h2 id="windows-h">Maintenance windows</h2>
  <table class="plain"><caption class="sr">Maintenance windows</caption><thead><tr><th scope="col">Window</th><th scope="col">Matches</th><th scope="col">When</th><th scope="col">Would hold back now</th></tr></thead><tbody>{{#windows}}<tr><td>{{name}}</td><td>{{#matchers}}<code>{{.}}</code> {{/matchers}}</td><td>{{rhythm}}<span class="sub">next {{next}}</span></td><td>{{hits}}</td></tr>{{/windows}}</tbody></table></section>{{/anyWindows}}
  <p class="pager">{{#showExpired}}<a href="/silences">Hide ended ones</a>{{/showExpired}}{{^showExpired}}<a href="/silences?expired=1">Show ended ones</a>{{/showExpired}}</p>
  </div>
  {{#may}}
  <section class="card" aria-labelledby="add-h">
  <h2 id="add-h">Silence something</h2>
  <form method="get" action="/silences#add-h" class="stack wide">
  <input type="hidden" name="token" value="{{token}}">
  <label>Matchers, one a line <textarea name="matchers" rows="3" required placeholder="event_type=listing_views&#10;device=~&quot;mob.*&quot;">{{matchers}}</textarea></label>
  <div class="inline"><label for="sfor">For</label><input id="sfor" name="for" value="{{for}}" size="6" required>{{#askName}}<label for="sby">Your name</label><input id="sby" name="by" value="{{you}}" required maxlength="80">{{/askName}}<label for="scomment">Why</label><input id="scomment" name="comment" value="{{comment}}" maxlength="500" class="grow"></div>
  {{#problem}}<p class="banner bad" role="alert">{{problem}}</p>{{/problem}}
  <div class="buttons"><button name="preview" value="1">Preview</button>{{#preview}}<input type="hidden" name="seen" value="{{seen}}"><button class="primary" formmethod="post" formaction="/silences">Silence {{hits}}</button>{{/preview}}</div>
  </form>
  {{#preview}}
  <h3>{{previewText}}</h3>
  <ul class="others">{{#previewRows}}<li>{{> badge}} <a href="/alerts/{{id}}">{{id}}</a> {{headline}}</li>{{/previewRows}}</ul>
  {{/preview}}
  </section>
  {{/may}}
  """

let statusTemplate = """
  <div class="head"><h1>Status</h1><p class="quiet">{{lead}}</p></div>
  <div id="status" data-region>
  <dl class="figures big">{{#figures}}<div{{#bad}} class="bad"{{/bad}}><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/figures}}</dl>
  <section class="card" aria-labelledby="workers-h"><h2 id="workers-h">Workers</h2>
  {{#anyWorkers}}<table class="plain"><caption class="sr">Workers</caption><thead><tr><th scope="col">Name</th><th scope="col">Last heard</th><th scope="col">What it said</th></tr></thead><tbody>{{#workers}}<tr><td>{{name}}</td><td><span class="state state-{{stateClass}}">{{heard}}</span></td><td class="said">{{#said}}<span class="pair"><span class="quiet">{{name}}</span> {{value}}</span> {{/said}}</td></tr>{{/workers}}</tbody></table>{{/anyWorkers}}
  {{^anyWorkers}}<p class="empty">No worker has been heard of. Start one with <code>tocsin detect</code> or <code>tocsin notify</code>.</p>{{/anyWorkers}}
  </section>
  <section class="card" aria-labelledby="failed-h"><h2 id="failed-h">Deliveries that failed</h2>
  {{#anyFailed}}<ul class="told">{{#failed}}<li><span class="state state-failed">failed</span> <b>{{receiver}}</b> by {{channel}} <span class="quiet">{{destination}}</span> {{#href}}<a href="{{href}}">{{subject}}</a>{{/href}}<span class="sub">{{detail}}</span></li>{{/failed}}</ul>{{/anyFailed}}
  {{^anyFailed}}<p class="empty">None.</p>{{/anyFailed}}
  </section>
  <section class="card" aria-labelledby="pending-h"><h2 id="pending-h">Deliveries under way</h2>
  {{#anyPending}}<ul class="told">{{#pending}}<li><span class="state state-pending">pending</span> <b>{{receiver}}</b> by {{channel}} <span class="quiet">{{destination}}</span> {{#href}}<a href="{{href}}">{{subject}}</a>{{/href}}<span class="sub">{{detail}}</span></li>{{/pending}}</ul>{{/anyPending}}
  {{^anyPending}}<p class="empty">None.</p>{{/anyPending}}
  </section>
  {{#anyFindings}}<section class="card" aria-labelledby="audit-h"><h2 id="audit-h">What the audit finds</h2><ul>{{#findings}}<li>{{.}}</li>{{/findings}}</ul></section>{{/anyFindings}}
  {{#anyProblems}}<section class="card" aria-labelledby="problems-h"><h2 id="problems-h">Events the tables could not take in</h2><ul>{{#problems}}<li>{{.}}</li>{{/problems}}</ul></section>{{/anyProblems}}
  </div>
  """
