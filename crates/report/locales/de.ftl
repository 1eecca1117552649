# The report's words in German.

## Nouns: the count stands before them, written in the reader's way.

noun-game = { $n ->
    [one] Spiel
   *[other] Spiele
}
noun-price = { $n ->
    [one] Quote
   *[other] Quoten
}
noun-edge = { $n ->
    [one] Vorteil
   *[other] Vorteile
}
noun-bet = { $n ->
    [one] Wette
   *[other] Wetten
}
noun-row = { $n ->
    [one] Zeile
   *[other] Zeilen
}
noun-forecast = { $n ->
    [one] Vorhersage
   *[other] Vorhersagen
}
noun-configuration = { $n ->
    [one] Konfiguration
   *[other] Konfigurationen
}
noun-day = { $n ->
    [one] Tag
   *[other] Tage
}
noun-hour = Std.
noun-minute = Min.

## The night in one sentence.

headline-live = { $edges } heute Nacht, { $share } des Kapitals im Spiel
headline-paper = { $edges } heute Nacht, nur auf dem Papier
headline-none = Kein Vorteil heute Nacht:
reason-no-game = kein Spiel beginnt in der Zeit dieses Berichts
reason-no-price = { $games }, aber keine Quote zum Vergleichen
reason-no-price-beats = von { $prices } liegt keine weit genug über ihrem fairen Wert
subject-none = kein Vorteil
subject-paper = Papier
looked-at = { $games } und { $prices } angesehen
summary-none = { $looked_at }. Kapital { $bankroll }, heute Nacht nichts im Spiel.
summary-live = { $staked } von { $bankroll } gesetzt. { $looked_at }.
summary-paper = { $staked } von { $bankroll } auf dem Papier. { $looked_at }.
basis = Zeiten in { $zone }; benutzt wurde nur, was vor { $as_of } bekannt war.
all-well = Alle Daten sind frisch, und jeder Schritt der Nacht ist getan.

## Notices.

notice-paper = Nur auf dem Papier: Wetten werden notiert, gesetzt wird nichts.
notice-step-replaced = Schritt { $step } ist gescheitert; stattdessen benutzt:
notice-step = Schritt { $step } ist gescheitert; nichts ersetzt ihn.
notice-feed = Daten { $league }: { $status }, die neueste Quote ist { $age } alt.
notice-feed-empty = Daten { $league }: { $status }, es gibt keine Quote.
no-model = Noch ist kein Modell trainiert.
feed-fresh = frisch
feed-late = spät
feed-frozen = steht
feed-empty = leer

## Bets.

selection-win = Sieg { $side }
selection-draw = Remis
selection-over = Über { $points }
selection-under = Unter { $points }
interval-to = { $low } bis { $high }
versus = –
at-price = zu { $price }
seen = gesehen { $when }
of-bankroll = { $share } des Kapitals
edge = Vorteil
probability = Wahrscheinlichkeit
interval-90 = 90-%-Intervall
interval-95 = 95-%-Intervall
fair-price = Faire Quote
all-lenses = Alle Linsen
lens-circle = Kreis
lens-margin = Marge
lens-market = Mr. Market
lens-moat = Graben
lens-pitch = Fat Pitch
lens-no-data = keine Daten
lens-veto = Veto
lens-is-silent = { $lens } hat keine Daten:
lens-says-no = { $lens } sagt nein:
limit = Grenze
cancel-below = Nicht setzen, wenn die Quote unter { $price } liegt.
cancel-below-or = Nicht setzen, wenn die Quote unter { $price } liegt oder:
cancel-if = Nicht setzen, wenn:
slip-note = Nach Anstoß. Unter der Quote bei „nicht unter“ gilt die Wette nicht mehr.
slip-note-first = Die ersten { $shown } von { $count }; die anderen folgen.
text-pick = { $selection } zu { $price } bei { $book }, Einsatz { $stake } ({ $share })
text-pick-numbers = Faire Quote { $fair }, Wahrscheinlichkeit { $probability } (90 %: { $interval }), Vorteil { $edge }
text-all-lenses = alle Linsen { $score }
text-row = { $selection } zu { $price } bei { $book }, Einsatz { $stake }, faire Quote { $fair }, Wahrscheinlichkeit { $probability }, Vorteil { $edge }, alle Linsen { $score }
text-miss = { $selection } zu { $price } bei { $book }, Vorteil { $edge }
text-settled = { $selection } zu { $price } bei { $book }: { $grade }, { $profit } auf { $stake }, CLV { $clv }

## Headings.

heading-picks = Wetten
heading-slip = Was zu setzen ist
heading-why = Warum diese Wetten
heading-further = Weitere Wetten
heading-misses = Knapp daneben
heading-slate = Spiele der Nacht
heading-settled = Abgerechnet seit dem letzten Bericht
heading-bankroll = Kapital
heading-record = Bilanz
heading-model = Modell gegen einfache Verfahren und Schlussquote
heading-data = Daten und Nacht
heading-assumptions = Annahmen
heading-words = Begriffe
heading-traces = Woher die Zahlen kommen

## What a list leaves out.

more-picks = { $n } weitere von { $count } Wetten im vollen Bericht.
more-misses = { $n } weitere knapp verfehlte im vollen Bericht.
more-games = { $n } weitere Spiele im vollen Bericht.
more-settled = { $n } weitere abgerechnete Wetten im vollen Bericht.
more-slices = { $n } weitere Teile im vollen Bericht.
more-leagues = { $n } weitere Ligen im vollen Bericht.
more-feeds = { $n } weitere Datenquellen im vollen Bericht.
more-reasons = { $n } weitere Gründe im vollen Bericht.
more-steps = { $n } weitere Schritte im vollen Bericht.
more-assumptions = { $n } weitere Annahmen im vollen Bericht.

## Captions of the tables, for those who hear them.

caption-further = Wetten nach den ersten, nach Anstoß
caption-misses = Kandidaten, die etwas aufhielt
caption-record = Bilanz nach Liga und Markt
caption-scores = Güte jeder Vorhersage, { $league }
caption-feeds = Stand der Daten jeder Liga

## Heads of the tables.

head-bet = Wette
head-book = Anbieter
head-price = Quote
head-not = Nicht
head-below = unter
head-stake = Einsatz
head-pick = Wette
head-fair = Fair
head-lenses = Linsen
head-candidate = Kandidat
head-stopped = Aufgehalten von
head-game = Spiel
head-home = Heim
head-draw = Remis
head-away = Gast
head-result = Ergebnis
head-profit = Gewinn
head-slice = Teil
head-bets = Zahl
head-wlp = G–V–R
head-wlp-plain = G-V-R
head-staked = Gesetzt
head-return = Rendite
head-log-loss = Log-Loss
head-against = Gegen
head-the-close = Schluss
head-to-close = Schluss
head-feed = Daten
head-state = Stand
head-newest-price = Neueste Quote
head-age = Alter
head-newest-result = Neuestes Ergebnis
head-new-rows = Neue Zeilen
head-reason = Grund
head-rows = Zeilen
head-step = Schritt
head-wrong = Was schiefging
head-instead = Stattdessen benutzt

## Cells.

outcome-home = Heim
outcome-draw = Remis
outcome-away = Gast
cell-model = Modell { $share }
cell-books = Markt { $share }
cell-model-plain = Modell
cell-books-plain = Markt
slate-note = Beste Quote mit Anbieter; Wahrscheinlichkeit nach dem Modell, darunter die aller Anbieter zusammen ohne ihre Marge.
not-played = nicht gespielt
grade-won = gewonnen
grade-half-won = halb gewonnen
grade-void = ungültig
grade-push = zurück
grade-half-lost = halb verloren
grade-lost = verloren
best = (am besten)
none = keine
nothing = nichts
slice-all = Alle
market-moneyline = Sieg
market-spread = Handicap
market-total = Summe
forecast-home-rate = Heimquote
forecast-elo = Elo
forecast-normal-margin = Normaler Abstand
forecast-poisson = Poisson
forecast-dixon-coles = Dixon-Coles
forecast-opening-line = Eröffnungsquote
forecast-closing-line = Schlussquote
forecast-linear = Linear ohne Quoten
forecast-linear-market = Linear mit Quoten
forecast-hgt = HGT ohne Quoten
forecast-hgt-market = HGT mit Quoten

## Sentences.

settled-sum = { $profit } auf { $staked } Einsatz, { $bets }, mittlerer CLV { $clv }.
settled-sum-no-close = { $profit } auf { $staked } Einsatz, { $bets }, keine Schlussquote bekannt.
none-settled = Keine Wette wurde abgerechnet.
settled-note = CLV, closing line value: erwarteter Ertrag der genommenen Quote gegen die Schlussquote ohne Marge.
bankroll-told = { $now }, { $change } seit { $since }. Tiefststand { $low }, Höchststand { $high }.
bankroll-new = Noch kein Verlauf: die Kurve beginnt mit dem zweiten Tag.
band-told = Im Band war es nach den Ansprüchen der Wetten selbst zu erwarten, in neunzehn von zwanzig Fällen.
no-record = Bisher wurde keine Wette abgerechnet.
luck = Glück oder Können? { $games }: beansprucht waren { $expected } ± { $deviation }, geworden sind es { $observed }.
luck-close = Glück oder Können? { $games }: beansprucht waren { $expected } ± { $deviation } ({ $close } nach den Schlussquoten), geworden sind es { $observed }.
champion-told = Modell { $version } seit { $since }, gewählt aus { $configurations }, trainiert mit Daten vor { $data_as_of }.
league-span = { $from } bis { $to }
lower-is-better = kleiner ist besser
information = Gewicht des Modells gegenüber der Quote: { $weight } ± { $error } ({ $games }).
models-note = Zurückgehaltene Spiele, in jeder Zeile dieselben; kleiner ist besser. Gegen Schluss: mittlerer Log-Loss minus dem der Schlussquote, ± ein Standardfehler.
reliability-asked = Wie oft traf ein, was das Modell sagte?
text-reliability = Zuverlässigkeit, vorhergesagt und eingetroffen:
text-games = Spiele
no-feed = Keine Datenquelle ist eingerichtet.
text-feed = neueste Quote { $price } ({ $age }), neuestes Ergebnis { $result }, { $rows } neue Zeilen
refused = { $rows } abgelehnt und in Quarantäne:
none-refused = Keine Zeile wurde abgelehnt.
steps-failed = Gescheiterte Schritte der Nacht:
text-instead = stattdessen benutzt:
words-of-bets = Vorteil: was ein Einsatz im Mittel über sich hinaus bringt, wenn unsere Wahrscheinlichkeit stimmt. Zur fairen Quote bringt er nichts. Das Intervall zeigt, wie unsicher wir der Wahrscheinlichkeit sind.
words-of-lenses = Linsen, von 0 bis 1. Kreis: wussten unsere Vorhersagen mehr als Quoten wie diese? Marge: ist es noch eine gute Wette, wenn wir irren? Mr. Market: schlägt diese Quote die Schlussquote? Graben: übersteht der Vorteil ein anderes Verfahren, weniger Belege, eine schlechtere Quote? Fat Pitch: wie viel Wachstum bringt sie heute Nacht? Alle Linsen: ihr gewichtetes geometrisches Mittel; was keine Daten hat, zählt nicht.
words-of-scores = Log-Loss, Brier und RPS messen, wie weit Vorhersagen von dem lagen, was geschah; ECE, wie weit genannte von eingetroffenen Wahrscheinlichkeiten. Die Schlussquote ist die letzte vor dem Beginn, die am schwersten zu schlagende.

## Where the numbers come from.

trace-price = Quote aus
trace-row = Zeile { $row }, gesehen { $seen }; vorhergesagt mit Stand { $as_of } vom Modell
trace-short = Zeile { $row }, { $seen }; Modell
trace-weights = Gewichte der Linsen { $version }.
trace-model = Modell
trace-commit = aus Commit
trace-as-of = Stand { $as_of }, { $zone }.

## Charts.

chart-bankroll = Kapital nach Tagen vom { $from } bis { $to }: es ging von { $first } auf { $last }.
chart-reliability = Zuverlässigkeit, { $forecasts }: vorhergesagter gegen eingetroffenen Anteil; am weitesten auseinander liegen { $forecast } vorhergesagt und { $observed } eingetroffen.
axis-forecast = vorhergesagt, % (größerer Punkt: mehr Spiele)
axis-observed = eingetroffen, %
