let alertTemplate = """
  <article class="alert">
  <header class="title row-{{severity}}" id="title" data-region>
  <p class="crumbs"><a href="/">Alerts</a> <span aria-hidden="true">/</span> <span class="id">{{id}}</span></p>
  <h1>{{headline}}</h1>
  <p class="badges">{{> badge}} <span class="state state-{{stateClass}}">{{state}}</span> {{#marks}}<span class="mark">{{.}}</span> {{/marks}}<span class="quiet">opened <time datetime="{{openedAt}}">{{openedLocal}}</time>, {{age}} ago</span></p>
  {{#next}}<p class="next">{{next}}</p>{{/next}}
  </header>
  <div class="columns">
  <div class="main-column">
  {{#chart}}<section class="card chart-card" id="chart" data-region aria-label="Chart">{{{chart}}}</section>{{/chart}}
  <section class="card" id="facts" data-region aria-labelledby="facts-h">
  <h2 id="facts-h">What was seen</h2>
  <dl class="figures">
  {{#figures}}<div><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/figures}}
  </dl>
  <dl class="facts">
  {{#facts}}<dt>{{name}}</dt><dd>{{#href}}<a href="{{href}}" rel="noreferrer">{{value}}</a>{{/href}}{{^href}}{{value}}{{/href}}</dd>{{/facts}}
  </dl>
  {{#causes}}<h3>Likely causes</h3><ul class="causes">{{#items}}<li><b>{{entity}}</b> {{#score}}<span class="quiet">{{score}}</span>{{/score}} {{why}}</li>{{/items}}</ul>{{/causes}}
  <details><summary>The anomaly as it came</summary><pre tabindex="0">{{raw}}</pre></details>
  </section>
  <section class="card" id="timeline" data-region aria-labelledby="timeline-h">
  <h2 id="timeline-h">Timeline</h2>
  <ol class="timeline">
  {{#timeline}}<li id="e{{position}}" class="ev ev-{{kind}}"><time datetime="{{at}}" title="{{full}}">{{local}}</time><div><p>{{sentence}}</p><p class="quiet">{{actor}} · <a href="#e{{position}}" aria-label="event {{position}}">{{position}}</a>{{#cause}} · because of <a href="{{causeHref}}">{{cause}}</a>{{/cause}}</p></div></li>
  {{/timeline}}
  </ol>
  {{#timelineCut}}<p class="quiet">{{timelineCut}}</p>{{/timelineCut}}
  </section>
  </div>
  <div class="side-column">
  {{#may}}
  <section class="card actions" id="actions" data-region="quiet" aria-labelledby="actions-h">
  <h2 id="actions-h">Act</h2>
  <form method="post" action="/alerts/{{id}}" class="stack">
  <input type="hidden" name="token" value="{{token}}"><input type="hidden" name="version" value="{{version}}">
  {{#askName}}<label>Your name <input name="by" value="{{by}}" required maxlength="80" autocomplete="username" placeholder="ana"></label>{{/askName}}
  <label>Note <input name="note" maxlength="2000" value="{{note}}" placeholder="optional; what you know or do"></label>
  <div class="buttons">
  {{#canAcknowledge}}<button class="primary" name="action" value="acknowledge">Acknowledge</button>{{/canAcknowledge}}
  {{#canUnacknowledge}}<button name="action" value="unacknowledge">Unacknowledge</button>{{/canUnacknowledge}}
  {{#canResolve}}<button name="action" value="resolve"{{^canAcknowledge}} class="primary"{{/canAcknowledge}}>Resolve</button>{{/canResolve}}
  <button name="action" value="comment">Comment</button>
  {{#canEscalate}}<button name="action" value="escalate">Escalate now</button>{{/canEscalate}}
  </div>
  {{#canHandle}}
  <div class="inline"><label for="for">Snooze for</label><select id="for" name="for"><option>30m</option><option>1h</option><option selected>2h</option><option>8h</option><option>1d</option><option>7d</option></select><button name="action" value="snooze">Snooze</button>{{#canUnsnooze}}<button name="action" value="unsnooze">Wake</button>{{/canUnsnooze}}</div>
  <div class="inline"><label for="to">Assign to</label><input id="to" name="to" maxlength="80" value="{{assignee}}"><button name="action" value="assign">Assign</button></div>
  {{/canHandle}}
  <div class="inline"><span class="lead-in">Was it real?</span><button name="action" value="true_positive"{{#isTrue}} aria-pressed="true"{{/isTrue}}>Yes</button><button name="action" value="false_positive"{{#isFalse}} aria-pressed="true"{{/isFalse}}>False alarm</button></div>
  </form>
  <p class="quiet"><a href="{{silenceHref}}">Silence alerts like this one</a></p>
  </section>
  {{/may}}
  <section class="card" id="told" data-region aria-labelledby="told-h">
  <h2 id="told-h">Who was told</h2>
  {{#route}}<p class="quiet">{{route}}</p>{{/route}}
  {{#anyTold}}<ul class="told">{{#told}}<li><span class="state state-{{state}}">{{state}}</span> <b>{{receiver}}</b> by {{channel}} <span class="quiet">{{destination}}</span><span class="sub">{{detail}}</span></li>{{/told}}</ul>{{/anyTold}}
  {{^anyTold}}<p class="empty">Nobody has been told.</p>{{/anyTold}}
  </section>
  {{#hasOthers}}<section class="card" aria-labelledby="others-h"><h2 id="others-h">The times before</h2><ul class="others">{{#others}}<li><a href="/alerts/{{id}}">{{id}}</a> {{> badge}} {{state}} <span class="sub">{{when}}</span></li>{{/others}}</ul></section>{{/hasOthers}}
  </div>
  </div>
  </article>
  """
