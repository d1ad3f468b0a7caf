let onCallTemplate = """
  <div class="head"><h1>On call</h1><p class="quiet">Schedules stand in the configuration; an override there takes somebody's place.</p></div>
  {{#anyWarnings}}<section class="card bad-card" aria-labelledby="gaps-h"><h2 id="gaps-h">Somebody would be told, and nobody is there</h2><ul>{{#warnings}}<li>{{.}}</li>{{/warnings}}</ul></section>{{/anyWarnings}}
  {{#any}}<p class="pager"><a href="{{earlier}}">Week before</a> {{#isOther}}<a href="/oncall">This week</a> {{/isOther}}<a href="{{later}}">Week after</a></p>{{/any}}
  {{#schedules}}
  <section class="card" aria-labelledby="s{{number}}">
  <h2 id="s{{number}}">{{name}} <span class="quiet">{{zone}}</span></h2>
  <dl class="figures"><div{{#isEmpty}} class="bad"{{/isEmpty}}><dt>Now</dt><dd>{{now}}</dd>{{#until}}<span class="sub">{{until}}</span>{{/until}}</div>{{#next}}<div><dt>Next</dt><dd class="small">{{next}}</dd></div>{{/next}}</dl>
  {{{chart}}}
  <details><summary>The week as a list</summary>
  <table class="plain"><caption class="sr">Shifts of {{name}}</caption><thead><tr><th scope="col">Who</th><th scope="col">From</th><th scope="col">Until</th></tr></thead><tbody>
  {{#rows}}<tr><td>{{#isEmpty}}<span class="state state-late">nobody</span>{{/isEmpty}}{{^isEmpty}}<b>{{person}}</b>{{/isEmpty}}{{#isNow}} <span class="mark">now</span>{{/isNow}}{{#override}} <span class="mark">override</span>{{/override}}</td><td>{{from}}</td><td>{{until}}</td></tr>{{/rows}}
  </tbody></table></details>
  <p class="quiet foot">{{#receivers}}Told by way of {{receivers}}. {{/receivers}}{{^receivers}}No receiver uses it. {{/receivers}}<a href="{{feed}}">Calendar feed</a></p>
  </section>
  {{/schedules}}
  {{^any}}<p class="empty">No schedule is configured. Add <code>people:</code> and <code>schedules:</code> to tocsin.yaml, and name one in a receiver.</p>{{/any}}
  """

let linkTemplate = """
  <section class="card narrow">
  <p>{{> badge}} <span class="id">{{id}}</span></p>
  <h1>{{headline}}</h1>
  <p class="quiet">{{what}}</p>
  <p>{{state}} {{#next}}{{next}}{{/next}}</p>
  {{#can}}<form method="post" class="stack">
  <div class="buttons"><button class="primary">Acknowledge as {{by}}</button></div>
  </form>
  <p class="quiet foot">Acknowledging stops the escalation until it runs out or the alert gets worse. Nothing has happened yet.</p>{{/can}}
  <p class="quiet"><a href="/alerts/{{id}}">Open the alert in the console</a>, if you can sign in there.</p>
  </section>
  """
