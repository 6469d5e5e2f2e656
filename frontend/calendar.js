// The calendar of the schedule: only what it draws with. `app/static/calendar.js` is what uses it.
import { Calendar } from "fullcalendar";
import dayGridPlugin from "fullcalendar/daygrid";
import interactionPlugin from "fullcalendar/interaction";
import timeGridPlugin from "fullcalendar/timegrid";

window.FullCalendar = { Calendar, plugins: [dayGridPlugin, timeGridPlugin, interactionPlugin] };
