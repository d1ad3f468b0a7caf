let layoutTemplate = """
  <!doctype html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{{title}} · Tocsin</title>
  <link rel="icon" href="{{icon}}" type="image/svg+xml">
  <link rel="stylesheet" href="{{style}}">
  <script src="{{script}}" defer></script>
  </head>
  <body{{#live}} data-live="{{live}}"{{/live}}>
  <a class="skip" href="#main">Skip to content</a>
  <header class="top">
  <a class="brand" href="/"><svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2a2 2 0 0 0-2 2c-3 1-4.500 3.600-4.500 7v4L3.500 18h17l-2-3v-4c0-3.400-1.500-6-4.500-7a2 2 0 0 0-2-2zm-2.500 18a2.500 2.500 0 0 0 5 0z"/></svg>Tocsin</a>
  <nav aria-label="Main">
  {{#nav}}<a href="{{href}}"{{#current}} aria-current="page"{{/current}}>{{name}}{{#badge}}<span class="count">{{badge}}</span>{{/badge}}</a>{{/nav}}
  </nav>
  <span class="who">{{#user}}<span class="name">{{user}}</span><form method="post" action="/sign-out"><input type="hidden" name="token" value="{{token}}"><button class="link">Sign out</button></form>{{/user}}</span>
  </header>
  {{#openAccess}}<p class="open-access">Everyone who can reach this address may do everything: no users are configured.</p>{{/openAccess}}
  {{#behind}}<p class="banner warn" role="status">{{behind}}</p>{{/behind}}
  <main id="main" tabindex="-1">
  {{#done}}<p class="banner good" role="status">{{done}}</p>{{/done}}
  {{#refused}}<p class="banner bad" role="alert">{{refused}}</p>{{/refused}}
  {{{content}}}
  </main>
  <footer class="bottom"><span>Tocsin {{version}}</span><span>Times in {{zone}}</span><a href="/api/v1/openapi.json">API</a><span id="live-state" role="status" aria-live="polite"></span></footer>
  </body>
  </html>
  """

let badgeTemplate =
  "<span class=\"sev sev-{{severity}}\"><span class=\"dot\" aria-hidden=\"true\"></span>{{severity}}</span>"

let errorTemplate = """
  <section class="card narrow">
  <p class="quiet">{{status}} {{reason}}</p>
  <h1>{{message}}</h1>
  {{#mend}}<p>{{mend}}</p>{{/mend}}
  <p><a href="{{back}}">Back</a></p>
  </section>
  """

let signInTemplate = """
  <section class="card narrow">
  <h1>Sign in</h1>
  <form method="post" action="/sign-in" class="stack">
  <input type="hidden" name="token" value="{{token}}">
  <label>Token <input type="password" name="secret" autocomplete="current-password" required autofocus></label>
  <button class="primary">Sign in</button>
  </form>
  <p class="quiet">Your token stands in the configuration under <code>console.users</code>.</p>
  </section>
  """
