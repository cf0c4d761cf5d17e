"""Connectors: on which side a trigger's memory lies, by the connector that it polls.

    server   the service knows who has taken what: two copies compete, and each item goes to one
    client   the trigger remembers for itself what it has seen: two copies would both see it all
    push     the service calls who subscribed: two copies would both be called

Managed connectors are named as in `.../managedApis/{name}`, built-in ones as in
`/serviceProviders/{name}`, both in lower case. After the connectors' reference pages
(learn.microsoft.com/connectors, logic-apps/connectors); where a connector has triggers of several
sorts the cautious one stands here. What is not in the table is treated as `client` and reported.
"""

from typing import NamedTuple


class Connector(NamedTuple):
    """`side`: server, client or push; `because`: what makes it so."""

    side: str
    because: str


LOCKS = Connector("server", "a message that was taken is locked for others until it is completed")
CONSUMES = Connector("server", "what is read is off the queue")
OFFSETS = Connector("server", "the brokers keep the offsets of the consumer group")
TIME = Connector("client", "it remembers the time of the newest item that it saw")
FILES = Connector("client", "it remembers the files that it saw by their times")
ROWS = Connector("client", "it remembers the last row version or row that it saw")
PLACE = Connector("client", "it keeps its place in each partition for itself")
OWN = Connector("client", "its leases and receipts are those of its own app")
CALLED = Connector("push", "who subscribed is called, so two copies would both be")

MANAGED: dict[str, Connector] = {
    name: connector
    for connector, names in (
        (LOCKS, "servicebus azurequeues"),
        (CONSUMES, "mq"),
        (
            TIME,
            "office365 outlook gmail googlecalendar googletasks rss twitter yammer slack "
            "trello asana todoist planner todo jira visualstudioteamservices bitbucket "
            "zendesk freshdesk freshservice servicenow basecamp3 wunderlist youtube vimeo "
            "instagram blogger wordpress medium pinterest buffer mailchimp campfire "
            "hubspotcrmv2 infusionsoft insightly toodledo smartsheet redmine bitly harvest "
            "livechat office365groups office365groupsmail powerbi sharepointonline "
            "excelonlinebusiness projectonline msnweather uservoice",
        ),
        (
            FILES,
            "azureblob ftp sftp sftpwithssh filesystem onedrive onedriveforbusiness "
            "googledrive dropbox box amazons3",
        ),
        (
            ROWS,
            "sql sqldw oracle db2 informix mysql postgresql salesforce dynamicscrmonline "
            "dynamicsax dynamicsnav dynamicssmbsaas googlesheet commondataservice",
        ),
        (PLACE, "eventhubs"),
        (
            CALLED,
            "azureeventgrid azuresentinel commondataserviceforapps teams microsoftforms github "
            "docusign adobesign typeform surveymonkey wufoo cognitoforms eventbrite jotform "
            "stripe pagerduty sap calendly ascalert wdatp",
        ),
    )
    for name in names.split()
}

BUILT_IN: dict[str, Connector] = {
    name: connector
    for connector, names in (
        (LOCKS, "servicebus azurequeues"),
        (CONSUMES, "mq rabbitmq"),
        (OFFSETS, "confluentkafka"),
        (FILES, "ftp sftp filesystem azurefile"),
        (OWN, "azureblob eventhub azurecosmosdb sql"),
        (CALLED, "sap"),
    )
    for name in names.split()
}

# A queue that is only looked through gives the same message to everyone who looks.
BROWSES = Connector("client", "it browses: what it has seen stays there for others to see")
