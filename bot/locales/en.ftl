## Sounds that are not music

not-music = not music
kind-music = music
kind-speech = speech
kind-environment = background noise
kind-tone = a steady tone
kind-silence = silence

## What else describes a song

tag-rock = rock
tag-pop = pop
tag-alternative = alternative
tag-indie = indie
tag-electronic = electronic
tag-female-vocalists = female vocalists
tag-dance = dance
tag-00s = 2000s
tag-alternative-rock = alternative rock
tag-jazz = jazz
tag-beautiful = beautiful
tag-metal = metal
tag-chillout = chillout
tag-male-vocalists = male vocalists
tag-classic-rock = classic rock
tag-soul = soul
tag-indie-rock = indie rock
tag-mellow = mellow
tag-electronica = electronica
tag-80s = 1980s
tag-folk = folk
tag-90s = 1990s
tag-chill = chill
tag-instrumental = instrumental
tag-punk = punk
tag-oldies = oldies
tag-blues = blues
tag-hard-rock = hard rock
tag-ambient = ambient
tag-acoustic = acoustic
tag-experimental = experimental
tag-female-vocalist = female vocalist
tag-guitar = guitar
tag-hip-hop = hip hop
tag-70s = 1970s
tag-party = party
tag-country = country
tag-easy-listening = easy listening
tag-sexy = sexy
tag-catchy = catchy
tag-funk = funk
tag-electro = electro
tag-heavy-metal = heavy metal
tag-progressive-rock = progressive rock
tag-60s = 1960s
tag-rnb = R&B
tag-indie-pop = indie pop
tag-sad = sad
tag-house = house
tag-happy = happy

## The answer

answer-sure = This sounds like { $genre } ({ $confidence }%).
answer-probable = Probably { $genre } ({ $confidence }%).
answer-unsure-two = I'm not sure: maybe { $genre } ({ $confidence }%) or { $other } ({ $other-confidence }%).
answer-unsure-one = I'm not sure: maybe { $genre } ({ $confidence }%).
answer-speech = That sounds like somebody talking. Send me some music and I'll tell you its genre.
answer-environment = That sounds like background noise, not music. Send me some music and I'll tell you its genre.
answer-tone = That's a steady tone, not music. Send me some music and I'll tell you its genre.
answer-silence = I can't hear anything in this. Send me some music and I'll tell you its genre.
answer-tags = Tags: { $tags }.
answer-runners-up = Next closest: { $genres }.
answer-runner-up = { $genre } ({ $confidence }%)
answer-known = I've heard this one before.
answer-length = { $length } of music in { $segments ->
    [one] one part
   *[other] { $segments } parts
}.
answer-short = That was only { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
} of music; a longer piece would tell me more.
answer-excerpt = I heard only { $seconds } seconds. In three songs out of ten, another part sounds like another genre, so I'd be surer with the whole song.
answer-part = { $start }–{ $end } { $genre } ({ $confidence }%)
answer-part-other = { $start }–{ $end } { $kind }
answer-more-parts = { $count ->
    [one] … and one more stretch
   *[other] … and { $count } more stretches
}
answer-votes-heading = What each of my experts would have said on its own:
answer-votes-line = { $expert }: { $genres }
answer-votes-count = { $genre } { $votes } of { $segments }
opinion-corrected = No, it's { $label }.
opinion-agreed = That's right.

## What each expert is called

expert-knn = neighbours
expert-svm = SVM
expert-nn = neural net
expert-texture = sound colour
expert-texture_linear = sound colour, simple
expert-texture40 = loud parts
expert-texture40_linear = loud parts, simple
expert-musicnn_tags = mood and instruments
expert-musicnn_embedding = trained ear
expert-fusion = all combined

## Progress

progress-queued-next = Next in the queue…
progress-queued = Number { $place } in the queue…
progress-queued-estimate = Number { $place } in the queue, about { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
} to go…
progress-fetching = Receiving the song…
progress-asking = I have a question about this link.
progress-fetching-megabytes = Receiving the song: { $megabytes } MB so far…
progress-waiting = Waiting for a free worker…
progress-decoding = Opening the song…
progress-listening = Listening: part { $segment } of { $segments }…
progress-answering = Putting the answer together…
progress-cancelled = Stopped. I've forgotten that song.

## Buttons

button-right = Right
button-wrong = Wrong
button-other = Something else
button-chosen = ✓ { $genre } (change)
button-after-all = Yes, { $genre }
button-add-genre = Add “{ $name }”
button-genre-list = Show the list
button-is-music = It is music
button-change = Change
button-undo = Undo
button-cancel = Stop
button-votes = Experts' votes
button-allow = Yes, you may learn
button-refuse = No, thanks
button-withdraw = Stop learning from me

## Corrections

correction-agreed = Thanks! Good to know that { $label } was right.
correction-taken = Thanks! I've noted that this is { $label }.
correction-family = Thanks! So { $label } is right; I'd gone further and said { $style }.
correction-proposed-moderators = Thanks! “{ $label }” is new to me. I've noted it as a proposal, and a moderator will look at it.
correction-proposed-others = Thanks! “{ $label }” is new to me. I've noted it; it counts once others say the same of a song.
correction-proposed-nobody = Thanks! “{ $label }” is new to me. I've noted it, but I can only learn it once whoever runs this bot names moderators, who confirm new genres.
correction-proposed-nowhere = Thanks! “{ $label }” is new to me. I've noted it.
correction-proposed-oneself = Thanks! “{ $label }” is new to me. I've noted it; with enough songs of it I can learn it.
correction-undone = Your correction is removed.
correction-nothing = You hadn't corrected this song.
correction-kept = You've told me that this is { $label }, so I've kept that. Was I right after all?

## Teaching a genre song by song

teach-begun = Send me songs of { $label } here, one after another or several at once. Each counts as your correction, until you send /teach alone or send nothing for half an hour.
teach-then-agree = When you're done, send /teach alone: then others here can agree with all of it by one button.
teach-nowhere = What you teach here is kept, but whoever runs this bot doesn't let me learn from { $platform ->
    [discord] Discord
    [telegram] Telegram
   *[other] what people say here
}.
teach-nobody = “{ $label }” is new to me. I'll keep what you teach, but I can only learn it once whoever runs this bot names moderators, who confirm new genres.
teach-ended = That's it for { $label }. What you send from now on is answered as usual.
teach-invitation = { $songs ->
    [0] Songs are being taught here as { $label }. They count once others say the same: if you know them, please press the button when they're answered.
    [one] One song was taught here as { $label }. It counts once others say the same: if you know it, please press the button.
   *[other] { $songs } songs were taught here as { $label }. They count once others say the same: if you know them, please press the button.
}
teach-invitation-moderators = { teach-invitation } A moderator also has to confirm the genre, which is new to me.
teach-seconded = { $songs ->
    [0] You had told me about these songs already.
    [one] Thanks! I've noted that song as { $label } for you, too.
   *[other] Thanks! I've noted those { $songs } songs as { $label } for you, too.
}
button-second = { $songs ->
    [one] It is
   *[other] They are all
} { $label }
teach-usage = Send /teach and a genre, for example /teach zouk. Then every song that you send here counts as one of that genre.
teach-unclear = Did you mean { $genres }? Send /teach again with the name you mean.
teach-noted = Noted as { $label }. I'd have said { $genre } ({ $confidence }%).
teach-noted-agreed = Noted as { $label }. I'd have said the same.
teach-noted-not-music = Noted as { $label }, though it doesn't sound like music to me.

## Learning: asked once, off by default

consent-question = May I learn from this? Your corrections and the numbers I computed from those songs could train my next version, never the recordings. You can change your mind any time.
consent-allowed = Thanks! From now on your corrections may teach me. You can change this any time.
consent-refused = All right, I won't learn from your corrections.
asking-offer = May I also ask you about a song now and then? At most once a day, only when we're alone, and only about songs that teach me most.
asking-yes = Good, I'll ask you now and then. /privacy changes that.
asking-no = All right, I won't ask you anything.
ask-genre = Is this { $genre }? { $missing } of { $needed } to go before I can learn it.
ask-experts = My experts disagree about this one. Which genre is it? Your word would teach me more than usual.
button-ask-me = Yes, ask me
button-do-not-ask = Don't ask me
page-asking-offer = If you like, I'll ask you about a song once a day: see “{ page-menu-privacy }”.
consent-withdrawn = Done: your corrections won't be used for training any more.

## Privacy

privacy =
    Your file is deleted as soon as I've answered.

    What I keep, so that I can answer the same song at once and learn where I was wrong: my answer, a fingerprint of the recording, the numbers that I computed from it, and what you say about the answer. Instead of your name I keep a code that nobody can trace back to you without a secret key.

    Your corrections and choices are kept until you delete them; which songs you sent, for 180 days, after which their buttons stop working. Answers to recordings stay: others may send the same recording, and they say nothing about you.
privacy-consent-yes = Learning from your corrections: you allowed it.
privacy-asking-yes = I may ask you about a song once a day.
privacy-asking-no = I don't ask you about songs.
privacy-consent-no = Learning from your corrections: off.
privacy-consent-nowhere = Learning from your corrections: off. Whoever runs this bot doesn't let me learn from { $platform ->
    [discord] Discord
    [telegram] Telegram
   *[other] what people say here
}.
privacy-consent-unasked = Learning from your corrections: off. I'll ask you once, when you first correct me.
forget-question = Delete everything I keep about you? This can't be undone.
forget-done = Deleted: { $songs ->
    [0] no answers
    [one] one answer
   *[other] { $songs } answers
} from your history and { $corrections ->
    [0] no corrections
    [one] one correction
   *[other] { $corrections } corrections
}. I know nothing about you any more.
mydata-name = my-data.json

## What can go wrong

error-song-failed = This song could not be classified. Please try another file.
error-empty-file = This file is empty. Please send it again.
error-not-audio = This is not a music file that I can read. Please send an mp3, m4a, ogg, opus, flac, wav or a video.
error-no-sound = This file has no sound track. Please send one that has.
error-damaged = This file is damaged and no music could be read from it. Please send it again or in another format.
error-copy-protected = This file is copy-protected, so I can't play it. Please send one without copy protection.
error-too-short = This is too short to tell. Please send at least { $minimum } seconds of music.
error-too-long = This is longer than { $minutes } minutes. Please send a shorter excerpt.
error-too-large = This file is larger than { $megabytes } MB. Please send a smaller file or a shorter excerpt.
error-silent = This recording is silent. Please send one in which music can be heard.
error-took-too-long = Reading this file took longer than { $seconds } seconds, so I stopped. Please try another format.
error-worker-frozen = I got stuck in the middle of this file, twice. Please send it again later, or try another format.
error-worker-lost = Something in this file made me stop. Please try another file or format.
error-too-many-queued = { $limit ->
    [one] One of your songs is still waiting. Please send the next one when it is answered.
   *[other] { $limit } of your songs are still waiting. Please send more when one of them is answered.
}
error-too-many-queued-several = I can keep { $limit } songs waiting for you at a time, so I left out { $songs }. Please send them again when the others are answered.
error-too-many-today-several = You may send { $limit } songs in 24 hours, so I left out { $songs }. Please send them again tomorrow.
error-too-many-today = { $limit ->
    [one] That's all for today: one song in 24 hours. Please come back tomorrow.
   *[other] That's all for today: { $limit } songs in 24 hours. Please come back tomorrow.
}
error-closing = I'm shutting down right now. Please send the song again in a minute.
error-file-unreadable = Your browser could not read this file. It may have been moved, or its permissions forbid it.
error-folder-too-full = There are { $count } songs in this folder, and this page takes up to { $limit } at a time. Drop a smaller folder, or put it in order from the command line: python -m classifier organize FOLDER --playlists OUT
error-folder-without-music = I can't find any music in this folder. Please choose another one.
error-folder-under-way = I'm still listening to another folder of yours. Please wait until it's done, or stop it.
error-file-gone = The file was no longer there when its turn came. Please send it again.
error-transfer-too-slow = The file was arriving too slowly, so I stopped. Please send it again when your connection is better.
error-download-too-slow = I'm getting this file too slowly right now, so I stopped. Please send it again later.
error-button-expired = I no longer have this song, so this button has expired. Please send the song again.
error-not-yours = Only the person who sent this song can do that.
error-lesson-empty = No song of this lesson is noted at the moment. If some are still in the queue, press again later.
error-own-lesson = You taught these songs yourself. Somebody else has to agree.
error-not-possible = That isn't possible.
error-label-empty = Please write the name of a genre.
error-label-too-long = A genre's name may have up to { $limit } letters. Please write a shorter one.
error-label-unprintable = A genre's name is one line of ordinary text. Please write it again.
error-label-without-letter = A genre's name needs at least one letter. Please write it again.
error-merge-refused = Only a proposed genre can be merged, and only into a known one. Please choose others.
error-body-unreadable = What arrived here is damaged. Please send it again.
error-link-too-long = This link is too long. Please open it in a browser and copy the shorter link from there.
error-storage-unavailable = I can't save anything at the moment. Please try again in a few minutes.
error-our-fault = Something went wrong on my side, and it has been noted. Please try again.
error-link-failed = The site behind this link didn't answer as it should. Please try again later, or send the file.
error-link-not-a-link = This is not a link that I can open. Please send one that begins with https:// or http://.
error-link-host = I'm not allowed to open links to this site. Please send the file instead.
error-link-inside = This link leads into a private network, where I don't go. Please send the file instead.
error-link-login = This site asks for a login. Please send the file instead.
error-link-blocked = This site blocks servers like mine. Please send the file instead.
error-link-live = This is a live broadcast, or one that has not begun. Please send a recording.
error-link-drm = This song is copy-protected, so I can't listen to it. Please send a file.
error-link-geo = This can't be played in the country where I run. Please send the file instead.
error-link-private = This is private, so I can't listen to it. Please send the file instead.
error-link-removed = This was removed from its site. Please send another link, or the file.
error-link-not-found = There is nothing at this link. Please check it, or send the file.
error-link-no-music = I couldn't find any music at this link. Please send a link to a song, or the file.
error-link-timeout = Fetching this took longer than { $seconds } seconds, so I stopped. Please send the file instead.
error-link-too-slow = This site sends the file too slowly, so I stopped. Please try again later, or send the file.
error-link-too-complex = This page is too complicated for me to search. Please send the link of the song itself, or the file.
error-link-script = This site needs a script that I can't run. Please send the file instead.
error-link-certificate = This site has no valid certificate, so I don't open it. Please send the file instead.
error-link-list = There is more than one song at this link. Please send the link of one song.

## A link that leads to many songs

list-found = This is a list of { $count } songs.
list-found-more = This is a list of more than { $count } songs.
list-found-newest = This is a feed of { $count } episodes.
list-found-newest-more = This is a feed of more than { $count } episodes.
list-offer = { $count ->
    [one] Shall I listen to the first one?
   *[other] Shall I listen to the first { $count }?
}
list-offer-newest = { $count ->
    [one] Shall I listen to the newest one?
   *[other] Shall I listen to the newest { $count }?
}
list-limits = Each gets its own answer and counts as one song of yours: { $queued } may wait at a time, { $daily } in 24 hours.
button-list = { $count ->
    [one] Only the first
   *[other] Yes, the first { $count }
}
button-list-newest = { $count ->
    [one] Only the newest
   *[other] Yes, the newest { $count }
}
button-list-none = No, thanks
error-list-taken = { $count ->
    [one] I take one song of this list; it gets its own answer.
   *[other] I take { $count } songs of this list; each gets its own answer.
}
error-list-cut-short = I could take only { $count } of { $wanted } songs: there is no room for more of yours right now. Please send the others later.
error-list-declined = All right, I'll leave this list alone.
error-list-unanswered = You didn't say whether I should listen to this list. Please send the link again.

## The timeline picture

picture-parts = Part by part: taller means surer
picture-unsure = not sure
picture-alt-one = Timeline of a song of { $length }: { $genre } throughout ({ $confidence }%).
picture-sounds = What I heard
picture-alt-other = Timeline of a recording of { $length }: { $kind }, no music.
picture-alt-many = Timeline of a song of { $length }. { $parts }.
picture-alt-part = { $start } to { $end }: { $genre }
picture-alt-overall = Timeline of a song of { $length }, mostly { $genre } in { $count } of { $segments } parts; the genre changes { $changes } times.

## The page

page-title = What genre is this?
page-skip = Skip to the song box
page-greeting = Hello! Give me a song, and I'll tell you its genre, part by part. If I'm wrong, tell me: that's how I get better.
page-deleted = Your file is deleted as soon as I've answered.
page-conversation = Conversation
page-drop = Drop songs, a folder or a link here
page-choose = Choose files
page-choose-folder = Open a folder
page-drop-now = Let go, and I'll listen
page-formats = mp3, m4a, ogg, opus, flac, wav, aiff, webm, mp4 or mov, up to { $megabytes } MB and { $minutes } minutes.
page-examples = Or try one of these:
page-example = Try “{ $title }”
page-you-sent = You sent a song
page-you-sent-folder = You sent a folder
page-uploading = Sending…
page-folder-opening = Looking through the folder…
page-upload-failed = The song didn't get through. Is the bot still running? Please try again.
page-lost = I can't reach the bot. Is it still running? I keep trying…
page-segments = Part by part
page-column-time = Time
page-column-genre = Genre
page-column-confidence = Confidence
page-column-runner-up = Runner-up
page-column-votes = Experts' votes
page-genre-search = Which genre is it?
page-genre-search-hint = Type to search, or write a genre of your own
page-genre-new = New genre: “{ $label }”
page-genre-known-count = { $count ->
    [0] No such genre yet. Press Enter to propose it.
    [one] One genre found.
   *[other] { $count } genres found.
}
page-save = Save
page-close = Close
page-language = Language
page-menu-privacy = Privacy
page-menu-mydata = Download my data
page-menu-forget = Delete my data
page-forget-confirm = Yes, delete everything
page-forget-keep = No, keep it
page-no-script = This page needs JavaScript to talk to the bot.
page-model = Release { $model }
page-link = Link to a song
page-link-hint = Paste a link to a song
page-link-send = Send
page-no-link = I see no link in that. Paste the address of a song or video, such as https://…
page-new-answers = New answers below
page-away = I can't reach the bot. I'll send this as soon as it's back…
page-waiting = Waiting its turn…
page-no-room = Waiting until there is room…
page-try-again = Try again
page-play = Play
page-pause = Pause
page-position = Position in the song
page-unplayable = This browser can't play this kind of file.
page-why = Why?
page-why-part = { $start }–{ $end } ({ $confidence }%)
page-why-parts = Most like { $genre }: { $parts }.
page-why-tags = I also hear: { $tags }.
page-why-closest = It sounds like { $songs } that you sent.
page-list-and = {" and "}
page-tag = The file's own tag says “{ $tag }”.
page-tag-agrees = The file's own tag says “{ $tag }”, too.
page-tag-differs = The file's own tag says “{ $tag }” instead.
page-silent-experts = Experts without a say here
page-silent-expert = { $expert }: has no weight where the answer is { $genre }, or cannot name it
page-save-picture = Save picture
page-copy-text = Copy text
page-copied = Copied
page-copy-failed = Your browser didn't let me copy
page-remove = Delete this song
page-removed = I've forgotten that song.
page-record = Record
page-record-title = Record what is playing
page-record-hint = Hold your device near the music for 10 to 30 seconds.
page-record-stop = Done
page-record-cancel = Cancel
page-record-level = Loudness
page-record-name = Recording
page-record-quiet = I hear almost nothing. Is the microphone on?
page-record-refused = Your browser gives me no microphone. Allow it in the address bar, then press Record again.
page-tools = Your songs
page-tools-search = Search title, genre or tag
page-tools-all = All
page-tools-csv = Table (CSV)
page-tools-playlists = Playlists
page-tools-statistics = Statistics
page-tools-count = { $count ->
    [one] One song
   *[other] { $count } songs
}
page-tools-waiting = { $count } still to come
page-tools-failed = { $count } without an answer
page-tools-none = No song matches.
page-history-file = my songs
page-csv-title = Title
page-csv-genre = Genre
page-csv-confidence = Confidence
page-csv-sure = Sure
page-csv-yours = Your genre
page-csv-length = Length
page-yes = yes
page-no = no
page-statistics-title = { $songs ->
    [one] One song
   *[other] { $songs } songs
}
page-statistics-line = { $genres ->
    [one] One genre
   *[other] { $genres } genres
}, { $minutes ->
    [one] one minute of music
   *[other] { $minutes } minutes of music
}
page-statistics-others = Others
page-statistics-alt = How many songs of each genre you have sent

## A folder on the page

page-collection-songs = { $count ->
    [one] one song
   *[other] { $count } songs
}
page-collection-progress = { $done } of { $total } songs heard…
page-collection-progress-soon = { $done } of { $total } songs heard, { $speed } a minute. Less than a minute to go…
page-collection-progress-minutes = { $done } of { $total } songs heard, { $speed } a minute. About { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
} to go…
page-collection-paused = { $done } of { $total } songs heard. No page is sending the others: open the same folder again, and I go on from here.
page-collection-again = Open the folder again
page-collection-done = { $songs ->
    [0] No song could be heard.
    [one] One song, in order.
   *[other] { $songs } songs, in order.
}
page-collection-stopped = Stopped after { $done } of { $total } songs. Open the same folder again to go on.
page-collection-not-sure = Not sure
page-collection-not-music = Not music
page-collection-failures = { $count ->
    [one] One file could not be heard
   *[other] { $count } files could not be heard
}
page-collection-minimum = Rely on answers
page-collection-minimum-sure = that the model is sure of
page-collection-minimum-percent = of { $percent } % confidence or more
page-collection-report = Map, likely duplicates, doubtful tags
page-collection-playlists = Download playlists
page-collection-unpack = The zip holds a playlist for each genre, one of the songs that I'm not sure of, and the report. Unpack it in “{ $name }”: from there they find the songs.
page-collection-file = playlists of { $name }
page-lesson = This folder is named for a genre. Teach { $songs ->
    [one] its song
   *[other] its { $songs } songs
} as { $genre }? Each counts as your correction.
page-lesson-yes = Yes, teach them
page-lesson-no = No, leave it
page-lesson-taught = Noted: { $songs ->
    [one] one song is
   *[other] { $songs } songs are
} { $genre }.

## Moderators

button-accept = Accept
button-reject = Reject
button-relabel = Another genre
button-merge = Merge into a genre
button-skip = Skip
button-accept-label = { $label } ({ $people })
button-accept-all = Accept all { $count } opinions for { $label } that people agree on
button-undo-ruling = Undo
review-heading = { $count ->
    [one] Correction { $numbers }
   *[other] Corrections { $numbers }
}; { $waiting ->
    [one] one song waits
   *[other] { $waiting } songs wait
} for review
review-title = “{ $title }”
review-said-sure = I said { $genre } ({ $confidence }%).
review-said-unsure = I was not sure: { $genre } ({ $confidence }%).
review-said-not-music = I said that this is not music.
review-agreed = { $people ->
    [one] One person says that { $label } is right.
   *[other] { $people } people say that { $label } is right.
}
review-given = { $people ->
    [one] One person says it is { $label }.
   *[other] { $people } people say it is { $label }.
}
review-proposed = That name is only proposed: nobody has confirmed it yet.
review-disputed = People disagree about this song: { $labels }. Your ruling settles it.
review-disputed-count = { $label } ({ $people })
review-ruled = It was already ruled on: { $labels }.
review-moderators-disagree = Moderators disagree about this song: { $labels }. The latest ruling counts.
review-link = Listen: { $link }
review-overruled = Another moderator had ruled { $label }. Yours counts now, and they will be told.
review-you-were-overruled = “{ $title }”: another moderator ruled { $after } after you had ruled { $before }.
review-you-were-rejected = “{ $title }”: another moderator rejected { $before }, which you had accepted.
review-accepted-all = Accepted: { $count ->
    [one] one opinion that says
   *[other] { $count } opinions that say
} { $label }.
review-undone = Put back for review: { $count ->
    [one] one opinion
   *[other] { $count } opinions
}.
review-pending = Put back for review.
review-accepted = Accepted: { $label }.
review-rejected = Rejected: { $label }.
review-relabelled = Noted as { $label }.
review-merged = “{ $source }” is now another name for { $target }; { $corrections ->
    [one] one correction
   *[other] { $corrections } corrections
} moved.
review-none = There's nothing to review.
feedback-none = Nobody has given an opinion yet.
feedback-totals = { $corrections ->
    [one] One opinion
   *[other] { $corrections } opinions
} from { $people ->
    [one] one person
   *[other] { $people } people
} on { $songs ->
    [one] one song
   *[other] { $songs } songs
}.
feedback-agreement = { $percent }% say that I was right.
feedback-waiting = Waiting for review: { $waiting }.
feedback-trainable = May train the next version: { $trainable }.
feedback-genre = { $genre }: I said it { $said ->
    [one] once
   *[other] { $said } times
} (right: { $right }); people say it { $given ->
    [one] once
   *[other] { $given } times
}
feedback-proposed = Proposed: { $labels }.
feedback-proposed-count = { $label } ({ $count })
feedback-exported = { $rows ->
    [one] One row
   *[other] { $rows } rows
} of { $songs ->
    [one] one song
   *[other] { $songs } songs
}, all with the consent of whoever corrected them.
feedback-export-empty = There's nothing to export: nobody whose corrections match has agreed that they may be used for training.
error-export-option-unknown = “{ $option }” is neither a format nor a genre that I know. The formats are { $formats }.
error-not-a-moderator = Only moderators can do that.
error-genre-unknown = I don't know a genre of that name. Please write it again.
error-genre-unclear = Did you mean { $genres }? Choose it from the list, or add what you typed as a new genre.
error-typed-genre-gone = I no longer know what you typed. Please type the genre again.
error-format-missing = This format can't be written here. Please choose another.
error-links-not-taken = I can't follow links yet. Please send me the song itself, as a file.

## Learning from corrections, as moderators see it

readiness-heading = What people teach me:
readiness-known = { $genre }: { $recordings ->
    [one] one recording
   *[other] { $recordings } recordings
} to get better with
readiness-complete = { $genre }: { $recordings } recordings, enough to learn it
readiness-missing = { $genre }: { $recordings } of { $needed } recordings
readiness-people = { $people ->
    [one] one more person
   *[other] { $people } more people
} must agree
readiness-copies = { $songs ->
    [one] one is a copy of another
   *[other] { $songs } are copies of others
}
readiness-unconfirmed = { $songs ->
    [one] one waits
   *[other] { $songs } wait
} for a moderator to confirm the genre
readiness-waiting = { $songs ->
    [one] one waits
   *[other] { $songs } wait
} for more people
readiness-disputed = { $songs ->
    [one] one is disputed
   *[other] { $songs } are disputed
}
readiness-later = { $songs ->
    [one] one counts
   *[other] { $songs } count
} later, from { $time } on
retraining-off = I don't retrain by myself.
retraining-nightly = I retrain at night, once there is enough.
retraining-when-ready = I retrain as soon as there is enough.
retraining-running = I'm retraining: { $text } ({ $time })
retraining-promoted = I retrained ({ $time }): { $text }
retraining-refused = I retrained ({ $time }), and the new version was not good enough: { $text }
retraining-not-enough = I looked for something new to learn ({ $time }): { $text }
retraining-failed = Retraining failed ({ $time }): { $text }

## The moderators' page

desk-title = Moderation
desk-skip = Go to the songs
desk-queue = Songs to review
desk-filter = Filter
desk-show-all = Also those already ruled on
desk-bulk = For the selected songs
desk-select-shown = Select all shown
desk-label = Another genre
desk-relabel = Change
desk-keys = Keys: J and K move, X selects, A accepts, R rejects, U undoes. Recordings are not kept, so there is nothing to play; the picture shows what I heard.
desk-accuracy = Accuracy over time
desk-genre = Genre
desk-releases = Releases
desk-roll-back = Go back to the one before
desk-serving = serves now
desk-promote = Let it serve
desk-disputed = People disagree about this song.
desk-select = Select
desk-timeline = What I heard
desk-recognised = Recognised of songs held out
desk-no-figures = There are no figures for this genre yet.
desk-failed = That didn't work. Please reload the page.
desk-untitled = A song without a title
desk-said = I said: { $genre } ({ $confidence }%)
desk-figure = { $percent }% right on the songs of the first training, each held out
desk-accepted = Accepted: { $count }. You can undo this.
desk-rejected = Rejected: { $count }. You can undo this.
desk-relabelled = Changed: { $count }. You can undo this.
desk-pending = Put back for review: { $count }.
desk-serves = { $name } serves in a few seconds.
error-release-not-changed = The release was not changed: { $reason }

## About the bot, and how a chat is set up

about = I listen to a song and tell you its genre, part by part. If I'm wrong, tell me: that's how my next version gets better.
about-release = I know { $count ->
    [one] one genre
   *[other] { $count } genres
}: { $genres }.
about-accuracy = Measured on songs by artists that I'd never heard, I was right { $percent }% of the time.
about-taught = I've also learnt from { $songs ->
    [one] one song
   *[other] { $songs } songs
} that people corrected and let me learn from.
about-taught-genre = { $genre } was taught here, with { $songs } songs. Each of them left out of training when it was tested, I recognised { $percent }%; before, none.
taught-thanks = { $genre } is now recognised, also thanks to your { $songs ->
    [one] song
   *[other] { $songs } songs
}.
about-base = On the songs that I first learnt from, each left out of training while it was tested, I was right { $percent }% of the time.
about-cannot = What I can't do: name the artist or the song, or recognise a genre that I don't know. I call such a song by the closest genre that I know; often, but not always, I then say that I'm not sure. Genres overlap, and people disagree about them, too.
stats-none = I haven't heard anything here yet.
stats-heard = Here I've heard { $songs ->
    [one] one song
   *[other] { $songs } different songs
} ({ $length } of music) and answered { $answers ->
    [one] once
   *[other] { $answers } times
}:
stats-genre = { $genre }: { $songs }
stats-more = … and { $count ->
    [one] one more genre
   *[other] { $count } more genres
}
stats-opinions = { $corrections ->
    [one] One opinion
   *[other] { $corrections } opinions
} so far; { $percent }% say that I was right.
settings-language = Language here: { $name }, unless somebody chose another for themselves.
settings-language-own = I speak { $name } with you.
settings-language-each = Language here: each person's own.
settings-picture-on = Answers come with the timeline picture.
settings-picture-off = Answers come without the timeline picture.
settings-listening = I answer every song, unasked, in: { $channels }.

## The chats' own words

chat-help-private = Send me a song: a music file, a voice message, a video, a round video message or a link. I'll tell you its genre, part by part. If I'm wrong, tap “Wrong”: that's how I get better.
chat-help-group = Reply to a song or a link here with /genre, or send a song and mention me in its caption. I'll tell you its genre, part by part. If I'm wrong, tap “Wrong”: that's how I get better.
chat-help-commands-only = In this group I only see commands that end with my name, and replies to my messages. Reply to a song or a link with /genre{ $bot }, and I'll tell you its genre, part by part. If I'm wrong, tap “Wrong”: that's how I get better.
greeting-group = Hi! Thanks for adding me.
chat-not-a-song = That isn't a song. Send me a music file, a voice message, a video or a link.
chat-limits = A song may be up to { $minutes } minutes long and { $megabytes } MB in size. You can have { $queued } songs waiting at a time and send { $daily } in 24 hours. If yours is larger, send a link, an excerpt of it, or the same song as mp3 or opus.
chat-help-commands = /privacy shows what I keep, /about how good I am, and /language changes the language.
chat-genre-usage = Reply to a song with /genre, or send a song and mention me in its caption.
chat-genre-usage-commands-only = Reply to a song or a link with /genre{ $bot }.
chat-correct-usage = Reply to one of my answers with /correct and the genre, for example /correct jazz.
chat-choose-genre = Which genre is it? Choose one, or reply to this message with its name.
chat-language = Which language shall I speak with you?
chat-sent-privately = I've sent it to you alone.
chat-write-me-first = I can send this only to you in private. Please write to me first, then ask me there.
chat-feedback-usage =
    /feedback review shows the songs to review one by one.
    /feedback stats counts them.
    /feedback export sends them as a file: csv, jsonl or parquet, and if you like a period, a genre, a status, such as /feedback export jsonl 2026-01-01..2026-03-31 jazz accepted
links-left-out = I take { $limit } links at a time. Please send me the others in another message: { $links }
cannot-speak = I'm not allowed to write where you asked me. Ask an administrator to let me, or send me the song here.
chat-already-over = That song is already answered, so I've removed this message.
chat-here = here
chat-each-language = Everybody's own
chat-picture-on = With picture
chat-picture-off = Without picture
chat-listen-on = Answer every song
chat-listen-off = Only when asked
chat-too-late = It's too late to stop that: the answer is on its way.
command-genre = What genre is this song? (reply to it)
command-correct = Tell me the right genre (reply to my answer)
command-teach = Teach me a genre: then send songs of it
command-language = Choose a language
command-privacy = What I keep, and why
command-mydata = Everything I keep about you, as a file
command-forgetme = Delete everything I keep about you
command-about = How good I am, and what I can't do
command-stats = What I've heard here
command-help = How this works
command-feedback = For moderators: review, stats, export
command-settings = Language, picture, and which songs I answer here
profile-description = Send me a song, a voice message, a video or a link, and I'll tell you its genre, part by part. In a group, reply to a song with /genre. Your file is deleted as soon as I've answered. If I'm wrong, tell me: that's how I get better.
profile-short = I tell you the genre of a song, part by part. Send me a file or a link.
error-telegram-too-large = Telegram hands me files of at most 20 MB. Please send a link to the song, a shorter excerpt, or the same song as mp3 or opus.

## Choosing a genre in a chat

genres-question = Which genre is it?
genres-type = Which genre is it? Choose one, or just type its name.
genre-did-you-mean = Did you mean { $genre }?
genre-did-you-mean-one = I don't know “{ $name }”. Did you mean one of these?
genre-unknown-question = I don't know a genre called “{ $name }”. If it is one, I'll add it. If it's a song, send me its file or a link.
genres-choose = Choose a genre
genres-previous = ◀ Back
genres-next = More ▶
genres-other = Search or add a genre…
genres-other-title = Search for a genre
genres-other-field = Its name, or part of it

## Discord

discord-help = Send me a song and I'll tell you its genre, part by part:
    • in a direct message to me, in a message that mentions me, or in a reply to me;
    • with /genre and a file or a link, anywhere;
    • or right-click or long-press a message: Apps → “What genre is this?”.
    If I'm wrong, press “Wrong” (or “Something else”) below my answer and choose the right genre, or use /correct. What I keep: /privacy. More about me: /about.
discord-cannot-see = Discord doesn't show me the message that you replied to. Right-click or long-press it and choose Apps → “{ $menu }”.
help-limits = A song may be up to { $minutes } minutes long and { $megabytes } MB in size. You can have { $queued } songs waiting at a time and send { $daily } in 24 hours.
language-chosen = From now on I speak English with you.
mydata-here = This is everything I keep about you.
forget-kept = All right, everything stays as it is.
settings-cannot-read = Just so you know: Discord shows me files in other people's messages only if the message content intent is switched on for me in Discord's developer portal, and it isn't. Until then, I answer songs there only if they mention me or reply to me.
slash-genre = genre
    .about = What genre is this song?
slash-correct = correct
    .about = Tell me the right genre of the latest song here
slash-teach = teach
    .about = Teach me a genre: every song that you send here then counts as one of it
slash-privacy = privacy
    .about = What I keep, for how long and why; your choice about training
slash-mydata = mydata
    .about = Everything I keep about you, as a file
slash-forgetme = forgetme
    .about = Delete everything I keep about you
slash-language = language
    .about = Which language I speak with you
slash-help = help
    .about = How to ask me, and what the limits are
slash-about = about
    .about = How often I'm right, and what I can't do
slash-stats = stats
    .about = What I've heard here
slash-settings = settings
    .about = My settings here
slash-feedback = feedback
    .about = Review people's corrections (moderators)
slash-review = review
    .about = Review songs and what people say of them, one by one
slash-counts = stats
    .about = Corrections counted, genre by genre
slash-export = export
    .about = Corrections as a file for training
menu-genre = What genre is this?
menu-correct = Correct the genre
option-file = file
    .about = A music file or a video
option-link = link
    .about = The address of a song
option-genre = genre
    .about = Start typing, choose, or write a new one
option-taught = genre
    .about = The genre you teach; leave it out to stop
option-wanted = genre
    .about = Only this genre
option-language = language
    .about = The language
option-here = language
    .about = The language of answers here
option-picture = picture
    .about = Whether answers come with the timeline picture
option-listen = listen
    .about = A channel in which I answer every song unasked
option-ignore = ignore
    .about = A channel in which I no longer answer every song
option-form = format
    .about = The kind of file: csv, jsonl or parquet
option-since = since
    .about = First day, like 2026-11-01
option-until = until
    .about = Last day, like 2026-11-30
option-status = status
    .about = Where the review stands
choice-on = on
choice-off = off
choice-each = each person's own
choice-pending = waiting for review
choice-accepted = accepted
choice-rejected = rejected
choice-relabelled = genre changed
error-no-song-there = I can't find a song in that. Please choose a message with a music file or a link.
error-too-many-here = Here I can answer only { $limit } songs at a time, so I took the first ones. Please send me the others in a direct message.
error-nothing-to-correct = I can't see an answer of mine here. Please press “Wrong” below the answer instead.
error-date-unclear = Please write a date like 2026-11-30.
error-export-too-large = The file would be larger than { $megabytes } MB. Please choose a shorter period or one genre.

## The API for programs

error-api-token-needed = A valid token is needed. Send it as “Authorization: Bearer TOKEN”.
error-api-request-unclear = This request is not as the API describes it in /v1/openapi.json.
error-api-media-type = Send a music file, a form with a field “file”, or JSON with a “link”, and the Content-Type that fits.
error-api-upload-too-slow = The file did not arrive in time. Please send it again.
error-api-nothing-there = There is nothing at this address.
error-api-method = This address does not take this method.
error-api-song-not-found = There is no song with this id; it may have been deleted.
error-api-answer-expired = The answer of this song is no longer stored. Please send the song again.
error-api-not-answered = This song has no genre that could be corrected yet.
error-api-no-question = This song is no playlist that waits for a number of songs.
error-api-key-in-use = A request with this Idempotency-Key is still being processed. Please try again in a moment.
error-api-key-reused = This Idempotency-Key was already used for another song. Please choose a new one.
