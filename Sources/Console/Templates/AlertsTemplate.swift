let alertsTemplate = """
  <div class="head">
  <h1>{{heading}}</h1>
  <div class="tiles" id="tiles" data-region>
  {{#tiles}}<a class="tile tile-{{severity}}{{#on}} on{{/on}}" href="{{href}}"><b>{{count}}</b> {{severity}}</a>{{/tiles}}
  </div>
  </div>
  <form class="filters" method="get" action="/" role="search">
  <input type="search" name="q" value="{{q}}" placeholder="Search words, a metric, A-1042" aria-label="Search alerts">
  <select name="state" aria-label="State">{{#states}}<option value="{{value}}"{{#on}} selected{{/on}}>{{name}}</option>{{/states}}</select>
  <select name="severity" aria-label="Severity">{{#severities}}<option value="{{value}}"{{#on}} selected{{/on}}>{{name}}</option>{{/severities}}</select>
  <select name="event_type" aria-label="Event type">{{#eventTypes}}<option value="{{value}}"{{#on}} selected{{/on}}>{{name}}</option>{{/eventTypes}}</select>
  <button>Filter</button>
  {{#filtered}}<a class="clear" href="/">Clear</a>{{/filtered}}
  </form>
  <div id="alerts" data-region>
  {{#any}}
  <table class="alerts">
  <caption class="sr">{{caption}}</caption>
  <thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col" class="num">Value</th><th scope="col">State</th><th scope="col" class="num">Age</th><th scope="col" class="num">Seen</th><th scope="col">Next</th></tr></thead>
  <tbody>
  {{#rows}}
  <tr class="row row-{{severity}}{{#dim}} dim{{/dim}}">
  <td class="c-sev">{{> badge}}</td>
  <td class="c-what"><a href="/alerts/{{id}}">{{headline}}</a><span class="sub"><span class="id">{{id}}</span> <span>{{eventType}}</span>{{#dims}} <span class="chip">{{.}}</span>{{/dims}}</span></td>
  <td class="c-value num">{{#value}}<b>{{value}}</b>{{/value}}{{#expected}}<span class="sub">expected {{expected}}</span>{{/expected}}{{#change}}<span class="change">{{change}}</span>{{/change}}</td>
  <td class="c-state"><span class="state state-{{stateClass}}">{{state}}</span>{{#stateBy}}<span class="sub">{{stateBy}}</span>{{/stateBy}}{{#marks}}<span class="mark">{{.}}</span>{{/marks}}</td>
  <td class="c-age num"><time datetime="{{openedAt}}" title="{{openedLocal}}">{{age}}</time></td>
  <td class="c-count num" title="anomalies in this life">{{count}}×</td>
  <td class="c-next">{{#next}}<span>{{next}}</span>{{/next}}{{#step}}<span class="sub">{{step}}</span>{{/step}}</td>
  </tr>
  {{/rows}}
  </tbody>
  </table>
  {{/any}}
  {{^any}}<p class="empty">{{emptyText}}</p>{{/any}}
  <p class="pager"><span class="quiet">{{shown}}</span>{{#nextPage}}<a href="{{nextPage}}">Next page</a>{{/nextPage}}</p>
  </div>
  """
