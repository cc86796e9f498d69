"""Where the app opens: on Welcome until a detection is active, on Findings from then on.

A navigation bar has one default view, the same for ever, and a copy of it in local/ would hide those of later versions;
the setup view of app.conf would stand before every other page, Configuration among them. So the default is a page that
only looks and leads on. It is Simple XML, where <link> is an event action of a search's <done> as it is of a click;
Dashboard Studio leads nowhere unasked. Where the search may not be run, or nothing leads on, the page's two links are
left. https://docs.splunk.com/Documentation/Splunk/9.4.0/Viz/EventHandlerReference#Event_actions
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from pages.board import GENERATED, link

NAME = "start"
ACTIVE = '| cbahealth entities=false | where state="active" | head 1'
"""A row as soon as a detection is active."""


def xml() -> str:
    welcome, findings = link("welcome"), link("findings")
    return f"""<!-- {GENERATED} -->
<dashboard version="1.1" theme="light" hideEdit="true">
  <label>Home</label>
  <search>
    <query>{escape(ACTIVE)}</query>
    <earliest>0</earliest>
    <latest>now</latest>
    <done>
      <condition match="'job.resultCount' == 0">
        <link target="_self">{welcome}</link>
      </condition>
      <condition>
        <link target="_self">{findings}</link>
      </condition>
    </done>
  </search>
  <row>
    <panel>
      <html>
        <p><a href="{findings}">Findings</a>: what has been found.</p>
        <p><a href="{welcome}">Welcome</a>: from an installed app to the first finding.</p>
      </html>
    </panel>
  </row>
</dashboard>
"""
