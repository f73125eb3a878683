"""Words of seven languages by the idea that they stand for, and which ideas a text brings up.

Attacks on a model are made of few ideas, whatever the language and the wording: that rules are
to be dropped, that somebody must not know, that an answer is to look a certain way. Words were
chosen by hand; a word is found by its whole form or by its first six letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# English, German, French, Spanish, Italian, Dutch, Portuguese. "*": whatever follows.
_WORDS = {
    "drop": "ignore ignores ignoring disregard* forget neglect overrid* bypass* discard* skip "
    "ignoriere ignorier ignorieren vergiss vergessen vergesse missacht* umgehe ignorez oublie "
    "oubliez négliger contourne ignora ignorad olvida olvide descarta omite dimentica ignorate "
    "tralascia negeer vergeet omzeil ignorar esqueça esquece desconsider* descarte anule despreze",
    "rule": "instruction instructions rule rules guideline guidelines directive directives policy "
    "policies orders command commands anweisung* regel regeln vorgabe* richtlini* befehl* auftrag "
    "consigne* règle règles directive* ordres instrucc* reglas normas órdenes directri* istruzion* "
    "regole direttive opdracht* regels richtlijn* instructies voorschri* instruç* regras ordens "
    "diretriz* guardrails programming",
    "before": "previous previously prior above earlier before preceding foregoing original initial "
    "vorher* vorig* bisher* obig* früher* zuvor oben davor précéden* ci dessus avant antérieur* "
    "haut anterior anteriores previas arriba antes original* precedent* prima sopra vorige eerder* "
    "bovenst* hierboven voorgaan* hiervoor acima prévias inicial iniciais beginning",
    "all": "all any every everything anything alle alles sämtliche jede toutes tous tout todas "
    "todos todo tutte tutti tutto cualquier qualsiasi quaisquer tudo",
    "now": "now new henceforth onwards jetzt nun neue neuen neu ab désormais maintenant nouvelle "
    "nouvelles nouveau ahora nueva nuevas nuevo adesso ora nuove nuovo nuova nu nieuwe vanaf agora "
    "novas nova novo partir",
    "ai": "ai ki ia a.i. assistant assistants assistent asistente assistente chatbot* bot llm llms "
    "gpt chatgpt claude gemini copilot openai anthropic llama sprachmodell* taalmodel* robot agent "
    "agents agente modell modello modelo modèle model machine gpt4 bard",
    "you": "you your yourself dein deine deiner deinen deinem du dir dich ihr ihre tu te ton ta "
    "tes toi vous votre vos su sus tus ti tuo tua tue tuoi je jij jou jouw uw você seu sua suas "
    "seus teu",
    "user": "user user's users reader human operator nutzer nutzers benutzer leser utilisateur "
    "lecteur usuario lector utente lettore gebruiker lezer usuário leitor",
    "reply": "answer answers response responses reply output outputs summary antwort antworten "
    "ausgabe zusammenfa* réponse réponses résumé sortie respuesta salida resumen risposta "
    "risposte riassunto antwoord samenvat* uitvoer resposta saída resumo completion",
    "tell": "reveal show tell print repeat display output dump disclose leak recite echo expose "
    "spell quote zeig zeige verrate nenne wiederhole gib zitiere montre révèle affiche répète "
    "dévoile muestra muéstrame dime revela imprime repite mostra mostrami dimmi rivela stampa "
    "ripeti svela toon onthul herhaal verklap vertel mostre revele imprima repita exiba diga share",
    "secret": "secret secrets password passwords key keys confidential hidden passphrase flag pin "
    "credentials token passwort kennwort geheim* secrète contraseña clave secreta segreta segreto "
    "wachtwoord senha secreto secreta segredo mot passe private internal",
    "system": "system prompt prompts developer admin administrator configuration preamble "
    "systemprompt entwickler système développeur sistema desarroll* administr* sviluppat* "
    "systeempr* ontwikkel* desenvolv* root sudo creator creators context initialization",
    "act": "act pretend roleplay role play persona character become simulate impersonate behave "
    "spiele spielst verhalte tu rolle wärst joue comporte rôle finge haz papel compórt* recita "
    "comportati ruolo finta speel gedraag rol alsof finja comporte-se papel faz embody portray "
    "dan imagine simulation",
    "free": "unrestricted unfiltered uncensored amoral unbound unlimited free freed liberated "
    "without no ohne kein keine keinen sans aucune sin ningún senza nessun zonder geen sem nenhum* "
    "unethical immoral evil rogue rebel jailbr* unhinged villain anything",
    "limit": "restriction restrictions limit limits limitations filter filters boundaries ethics "
    "ethical morals moral morality censorship safety grenzen einschrän* beschränk* moral filtre "
    "limites contraintes restricc* límites censura limiti restrizi* beperking* restriç* legal "
    "illegal law laws gesetz* loi legge wet lei norms principles content disclaimers guidelines",
    "refuse": "refuse refuses refusal decline sorry apologize apologise unfortunately cannot can't "
    "warn warning warnings disclaimer lecture ablehn* lehnst entschul* warnung* refuse* désolé "
    "excuse* niegas negarte disculp* siento rifiut* scus* spiace weiger* excuses waarschu* recus* "
    "desculp* avisos unable inappropriate",
    "never": "never not don't no without must'nt won't nie niemals nicht kein ne pas jamais no "
    "nunca non mai niente nooit niet geen não nunca avoid",
    "must": "must have always will shall required obey comply order forced musst müssen muss immer "
    "dois doit devez toujours debes debe siempre devi deve sempre moet altijd deve devem sempre "
    "important crucial mandatory essential immediately urgent wichtig sofort importante belangrijk",
    "say": "say says write respond answer begin start end reply include sag sage schreib schreibe "
    "antworte dis écris réponds termine di escribe responde scrivi rispondi zeg schrijf antwoord* "
    "escreva responda diga print",
    "put": "add append insert include mention embed incorporate integrate recommend suggest "
    "encourage advise promote replace füge ergänze empfiehl erwähne ajoute insère recomma* añade "
    "agrega incluye recomien* aggiungi inserisci consiglia voeg noem raad acrescen* adicione "
    "inclua recomend* weave blend",
    "deed": "send forward transfer upload delete share post execute run call email transmit wire "
    "grant download install visit click open buy cancel schedule unlock disable retrieve invite "
    "subscribe withdraw schick* sende leite überweise lösche lade öffne envoie transfère supprime "
    "partage vire clique envía manda reenvía borra transfiere sube invia inoltra elimina trasfer* "
    "stuur verwijder maak deel envie encaminhe apague transfira mande compartilhe",
    "please": "please kindly bitte svp plaît plait favor favore alsjebl* alstubl* obrigado",
    "harm": "bomb weapon hack hacking hacker drug drugs virus malware ransomware poison kill "
    "murder steal phishing exploit explosive meth bombe waffe drogen knackt arme drogue "
    "pirater bomba arma drogas hackear droga violare wapen crime criminal racist hateful "
    "explosives rob",
    "mode": "mode modus modo modalità enabled activated enable activate dan jailbreak unlocked "
    "aktiviere aktiviert active activé activa activado attiva attivata aan ative ativado override",
    "tale": "story fiction fictional hypothetical hypothetically game scene novel movie play "
    "grandma grandmother character imagine pretend universe geschichte hypothet* spiel oma "
    "histoire hypoth* jeu grand-mère cuento historia hipotét* juego abuela storia ipotet* gioco "
    "nonna verhaal spel história jogo avó script dialogue world",
    "instead": "instead rather but however stattdessen lieber place lieu lugar invece plaats vez "
    "regardless despite trotzdem unabhängig opposite",
    "task": "task tasks assignment aufgabe tâche tarea compito taak tarefa mission objective goal "
    "request job work",
    "ask": "what how why who when where which can could would was wie warum wer wann wo welche "
    "quel quelle comment pourquoi qui quand où qué cómo quién cuándo dónde cuál che come perché "
    "chi quando dove qual quale wat hoe waarom wie wanneer waar como quem onde is are do does",
    "this": "following below this these here attached text article document passage paragraph "
    "sentence given table context code folgend* diesen dieser diesem text absatz suivant suivante "
    "texte article ci-dessous siguiente texto artículo abajo seguente testo brano volgende tekst "
    "onderstaa* seguinte texto abaixo provided",
    "cipher": "base64 rot13 decode decoded encode encoded hex hexadecimal cipher caesar backwards "
    "reverse reversed morse leetspeak binary decrypt concatenate variable dekodier* rückwärts "
    "décode envers decodifica revés contrario achterste* decodifi* unscramble",
    "hush": "mention silently secretly quietly notify inform alert aware confirmation permission "
    "erwähne verrate heimlich stillschw* mentionne silence menciones silencio callado citare "
    "silenzio noem stilletjes mencione silêncio knowing noticing",
    "greet": "dear hi hello regards thanks thank sincerely hallo danke grüße bonjour merci madame "
    "hola gracias estimad* ciao grazie gentile beste dank geachte olá obrigad* prezad*",
    "money": "account bank payment money dollars euros password credit card konto geld zahlung "
    "compte argent cuenta dinero conto denaro rekening conta dinheiro amount link url website",
}
IDEAS = tuple(_WORDS)

_TOKEN = re.compile(r"[^\W_]+(?:['’.][^\W\d_]+)*")
_PREFIX_CHARS = 6


def _tables() -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    whole: dict[str, list[int]] = {}
    begun: dict[str, list[int]] = {}
    for index, words in enumerate(_WORDS.values()):
        for word in set(words.split()):
            if word.endswith("*") and len(word) > _PREFIX_CHARS:
                begun.setdefault(word[:_PREFIX_CHARS], []).append(index)
            else:
                whole.setdefault(word.rstrip("*"), []).append(index)
    return (
        {word: tuple(sorted(found)) for word, found in whole.items()},
        {word: tuple(sorted(found)) for word, found in begun.items()},
    )


_WHOLE, _BEGUN = _tables()


def ideas(lowered: str) -> Sequence[tuple[int, tuple[int, ...]]]:
    """Which words of a text in small letters stand for which ideas: (n-th word, ideas)."""
    out = []
    for place, word in enumerate(_TOKEN.findall(lowered)):
        found = _WHOLE.get(word) or _BEGUN.get(word[:_PREFIX_CHARS])
        if found:
            out.append((place, found))
    return out
